import t from 'tap'
import { keysOf, sweep } from '#test/support/files.ts'
import { startInstance } from '#test/support/instances.ts'
import { startS3 } from '#test/support/s3-server.ts'
import { startVersitygw, WITHOUT_VERSITYGW } from '#test/support/versitygw.ts'
import { runCommand } from './commands.ts'
import { filledService, hasAll } from './files-of-backups.ts'
import { inSystem, startPostgresServer, WITHOUT_PROGRAMS } from './postgres-server.ts'

t.setTimeout(600_000)

const skip = WITHOUT_PROGRAMS
const WEB = { APP_ROLE: 'web' }

for (const [name, without] of [
  ['a bucket of versitygw', WITHOUT_VERSITYGW],
  ['a bucket of a test', false],
] as const) {
  t.test(`files of ${name} come back, and into a folder`, { skip: skip || without }, async (t) => {
    const server = await startPostgresServer(t)
    const s3 = await startS3(t)
    const bucket = {
      APP_FILES__STORE: 's3',
      APP_FILES__S3__BUCKET: 'files',
      APP_FILES__S3__ENDPOINT: s3.endpoint,
      APP_FILES__S3__ACCESS_KEY_ID: s3.credentials.AWS_ACCESS_KEY_ID,
      APP_FILES__S3__SECRET_ACCESS_KEY: s3.credentials.AWS_SECRET_ACCESS_KEY,
    }
    const store = name === 'a bucket of versitygw' ? await startVersitygw(t) : bucket
    const filled = await filledService(t, server, store)
    const backups = { ...s3.credentials, AWS_ENDPOINT_URL: s3.endpoint }
    const own = { APP_DATABASE__URL: filled.url, ...store, ...backups }
    const place = 's3://backups/daily'
    const made = await runCommand('backup', ['--to', place, '--files'], own)
    t.match(
      made,
      { code: 0, stdout: new RegExp(`${filled.objects} of ${filled.objects} contents`) },
      made.stderr,
    )

    const target = await server.createDatabase()
    const prefix = { ...own, APP_DATABASE__URL: target, APP_FILES__S3__PREFIX: 'restored/' }
    t.match(await runCommand('restore', ['--from', place], prefix), { code: 0, stdout: /none is missing/ })
    t.match(await runCommand('files', ['verify', '--digests'], prefix), { code: 0, stdout: /nothing else/ })

    const folder = t.testdir({})
    const other = await server.createDatabase()
    const local = { APP_DATABASE__URL: other, APP_FILES__DIRECTORY: folder, ...backups }
    t.match(await runCommand('restore', ['--from', place], local), { code: 0, stdout: /none is missing/ })
    const app = await startInstance(t, { url: other }, { ...WEB, APP_FILES__DIRECTORY: folder })
    await hasAll(t, app, filled)
    // They are the folder's now, and are removed there.
    await server.query(
      inSystem(other),
      'DELETE FROM uploads; DELETE FROM files; UPDATE stored_objects SET expires_at = now()',
    )
    await sweep(app)
    t.same(await keysOf(app), [])

    const away = { ...own, ...bucket, APP_FILES__S3__ENDPOINT: 'http://127.0.0.1:1' }
    const elsewhere = t.testdir({})
    await server.query(filled.url, 'DELETE FROM backups')
    const dumped = await runCommand('backup', ['--to', elsewhere, '--files'], away)
    t.match(dumped, { code: 1, stderr: /The contents could not all be copied: .*cannot be reached/ })
    t.same(await server.query(filled.url, 'SELECT 1 FROM backups'), [], 'the alert will tell')
    const third = await server.createDatabase()
    const restored = await runCommand('restore', ['--from', elsewhere], { ...own, APP_DATABASE__URL: third })
    t.match(
      restored,
      { code: 0, stdout: new RegExp(`0 restored, ${filled.objects} were there`) },
      'the rows are there',
    )
  })
}
