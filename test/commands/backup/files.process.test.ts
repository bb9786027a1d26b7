import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { backUp } from '#lib/backup/backup.ts'
import { openContents, openStore } from '#lib/backup/open-store.ts'
import { s3Settings } from '#lib/backup/s3-store.ts'
import { inventory } from '#services/storage/inventory.ts'
import { storeOf } from '#services/storage/storage.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { findings } from '#test/support/doctor.ts'
import { eventually } from '#test/support/eventually.ts'
import { createFullFile, keysOf, putContent, sweep } from '#test/support/files.ts'
import { startInstance } from '#test/support/instances.ts'
import { environment, startProcess } from '#test/support/process.ts'
import { runCommand } from './commands.ts'
import { filledService, hasAll } from './files-of-backups.ts'
import { inSystem, PROGRAMS_PATH, sharedPostgresServer, WITHOUT_PROGRAMS } from './postgres-server.ts'

t.setTimeout(600_000)

const skip = WITHOUT_PROGRAMS
const BACKUP = join(import.meta.dirname, '../../../commands/backup.ts')
const WEB = { APP_ROLE: 'web' }

const pathOf = (folder: string, key = '') => join(folder, key.slice(0, 2), key)

t.test('files of every kind come back into an empty database and an empty folder', { skip }, async (t) => {
  const server = await sharedPostgresServer()
  const folders = t.testdir({ files: {}, empty: {}, backups: {} })
  const [directory, empty, place] = [join(folders, 'files'), join(folders, 'empty'), join(folders, 'backups')]
  const filled = await filledService(t, server, { APP_FILES__DIRECTORY: directory })
  const { app, objects } = filled
  const own = { APP_DATABASE__URL: filled.url, APP_FILES__DIRECTORY: directory }

  const without = await runCommand('backup', ['--to', place], own)
  t.match(without.stdout, new RegExp(`\\.files: 0 of ${objects} contents of files are here \\(\\d+ bytes`))
  t.notOk(existsSync(join(place, 'files')))
  const made = await runCommand('backup', ['--to', place, '--files'], own)
  t.match(made, {
    code: 0,
    stdout: new RegExp(`\\.files: ${objects} of ${objects} contents of files are here`),
  })

  const target = await server.createDatabase()
  const restored = { APP_DATABASE__URL: target, APP_FILES__DIRECTORY: empty }
  const result = await runCommand('restore', ['--from', place], restored)
  t.match(result, {
    code: 0,
    stdout: new RegExp(`${objects} contents .*: ${objects} restored, 0 were there, none`),
  })
  t.match(await runCommand('files', ['verify', '--digests'], restored), {
    code: 0,
    stdout: /by their digests\nThe store has all of them, and nothing else\.\n$/,
  })
  const again = await startInstance(t, { url: target }, { ...WEB, APP_FILES__DIRECTORY: empty })
  await hasAll(t, again, filled)
  t.same(await findings(t, restored), [])

  await t.test('what is missing or damaged is named, and brought back', async (t) => {
    const keys = await keysOf(again)
    const sizes = await Promise.all(keys.map(async (key) => (await stat(pathOf(empty, key))).size))
    // An empty content can be neither cut nor changed.
    const [gone, short, changed] = keys.filter((_, index) => sizes[index] !== 0)
    await rm(pathOf(empty, gone))
    await truncate(pathOf(empty, short), 0)
    const path = pathOf(empty, changed)
    const bytes = await readFile(path)
    await writeFile(path, bytes.fill((bytes[0] ?? 0) + 1))
    const leftover = randomBytes(16).toString('hex')
    await mkdir(join(empty, leftover.slice(0, 2)), { recursive: true })
    await writeFile(pathOf(empty, leftover), 'nobody names it')
    // Not of the store.
    await writeFile(join(empty, leftover.slice(0, 2), '.directory'), '')

    const bySize = await runCommand('files', ['verify'], restored)
    t.match(bySize, {
      code: 1,
      stdout: new RegExp(`missing: ${gone}: [\\s\\S]*\\nno row names ${leftover}\\n`),
    })
    const byDigest = await runCommand('files', ['verify', '--digests', '--json'], restored)
    t.equal(byDigest.code, 1)
    const { faults, leftovers } = JSON.parse(byDigest.stdout)
    const kinds = Object.fromEntries(
      faults.map(({ key, kind }: { key: string; kind: string }) => [key, kind]),
    )
    t.equal(kinds[gone ?? ''], 'missing')
    t.equal(kinds[changed ?? ''], 'damaged')
    t.same(leftovers, [leftover])
    t.match(await findings(t, restored), [
      /^problem files: The store lacks \d of \d+ contents .*npm run files/,
    ])

    t.match(await runCommand('files', ['restore', '--from', place], restored), {
      code: 0,
      stdout: /none is missing/,
    })
    t.match(await runCommand('files', ['verify', '--digests'], restored), {
      code: 1,
      stdout: /^1 are missing/m,
    })
    t.match(await runCommand('files', ['restore', '--from', place, '--digests'], restored), {
      code: 0,
      stdout: /: 1 restored/,
    })
    t.match(await runCommand('files', ['remove-leftovers'], restored), { code: 1, stderr: /Add --yes/ })
    t.match(await runCommand('files', ['remove-leftovers', '--yes'], restored), {
      code: 0,
      stdout: /^Removed 1 /,
    })
    t.match(await runCommand('files', ['remove-leftovers', '--yes'], restored), {
      stdout: /^There is nothing/,
    })
    t.match(await runCommand('files', ['verify', '--digests'], restored), { code: 0, stdout: /nothing else/ })
  })

  await t.test(
    'a later backup copies what is new, and one that is removed takes its own contents along',
    async (t) => {
      const [gone] = await server.query<{ key: string }>(
        inSystem(filled.url),
        'DELETE FROM files WHERE id = (SELECT min(id::text)::uuid FROM files) RETURNING key',
      )
      await createFullFile(app, filled.user, 'a new one')
      await sweep(app)
      const later = await runCommand('backup', ['--to', place, '--files', '--keep', '1'], own)
      t.match(later, { code: 0, stderr: /, 1 of them new/ })
      t.notOk(existsSync(pathOf(join(place, 'files'), gone?.key)), 'only the first backup named it')
      t.equal((await readdir(place)).filter((name) => name.endsWith('.json')).length, 1)
      const kept: string[] = []
      for await (const key of openContents(place, s3Settings({})).list()) kept.push(key)
      const rows = "SELECT key FROM stored_objects WHERE state = 'kept' ORDER BY key"
      const named = await server.query<{ key: string }>(filled.url, rows)
      t.same(
        kept.sort(),
        named.map(({ key }) => key),
      )
    },
  )

  await t.test('a content that is missing is said, and the rest is copied', async (t) => {
    const content = await createFullFile(app, filled.user, 'soon gone')
    const [row] = await server.query<{ key: string }>(
      inSystem(filled.url),
      `SELECT key FROM files WHERE id = '${content.split('/').at(-1)}'`,
    )
    await rm(pathOf(directory, row?.key))
    const elsewhere = t.testdir({})
    const partial = await runCommand('backup', ['--to', elsewhere, '--files'], own)
    t.match(partial, { code: 1, stderr: new RegExp(`Not copied: ${row?.key}: There is no object`) })
    t.match(partial.stdout, /\.files: (\d+) of \d+ contents/)
    const target = await server.createDatabase()
    const fresh = { APP_DATABASE__URL: target, APP_FILES__DIRECTORY: join(elsewhere, 'fresh') }
    t.match(await runCommand('restore', ['--from', elsewhere], fresh), {
      code: 1,
      stdout: /, 1 are missing/,
      stderr: new RegExp(`missing: ${row?.key}`),
    })
    const none = await runCommand('backup', ['--to', elsewhere, '--files'], {
      ...own,
      APP_FILES__STORE: 'none',
    })
    t.match(none, { code: 1, stderr: /files\.store is `none` here/, stdout: /\.files: 0 of \d+ contents/ })
  })
})

t.test('what goes while it is copied is copied', { skip }, async (t) => {
  const server = await sharedPostgresServer()
  const folders = t.testdir({ files: {}, backups: {} })
  const [directory, place] = [join(folders, 'files'), join(folders, 'backups')]
  const { app, url, user } = await filledService(t, server, { APP_FILES__DIRECTORY: directory })
  const file = await createFullFile(app, user, 'the old content')
  const store = storeOf(app.ctx)
  const before = await keysOf(app)
  const manifest = await backUp({
    connection: connectionTo(url),
    tls: { tls: 'off' },
    store: openStore(place, s3Settings({})),
    contents: openContents(place, s3Settings({})),
    files: store,
    serviceVersion: '0.0.0',
    log: () => undefined,
    // The snapshot is taken by then.
    async *inventory(db) {
      await putContent(app, user, file, 'the new content')
      await server.query(inSystem(url), "DELETE FROM files WHERE purpose = 'avatar'")
      await sweep(app)
      yield* inventory(db)
    },
  })
  t.equal(manifest.files?.copied, manifest.files?.objects)
  const after = await keysOf(app)
  t.same(
    before.filter((key) => !after.includes(key)),
    [],
  )
  await sweep(app)
  t.ok((await keysOf(app)).length <= after.length - 2, 'and it goes afterwards')
})

t.test('killed while it copies, the next one goes on', { skip }, async (t) => {
  const server = await sharedPostgresServer()
  const folders = t.testdir({ files: {}, empty: {}, backups: {} })
  const [directory, empty, place] = [join(folders, 'files'), join(folders, 'empty'), join(folders, 'backups')]
  const filled = await filledService(t, server, { APP_FILES__DIRECTORY: directory })
  for (let n = 0; n < 60; n++) await createFullFile(filled.app, filled.user, randomBytes(400_000))
  const own = { APP_DATABASE__URL: filled.url, APP_FILES__DIRECTORY: directory }
  const env = environment({ APP_ENVIRONMENT: 'test', PATH: PROGRAMS_PATH, ...own })
  const killed = startProcess(t, process.execPath, [BACKUP, '--to', place, '--files'], { env })
  await eventually(async () => (await readdir(place)).includes('files'))
  killed.child.kill('SIGKILL')
  await killed.exited
  const left = await readdir(place)
  t.notOk(
    left.some((name) => name.endsWith('.json')),
    'it does not count',
  )
  t.match(await runCommand('restore', ['--from', place], own), { code: 1, stderr: /There is no backup/ })

  await eventually(
    async () => (await runCommand('backup', ['--to', place, '--files', '--keep', '1'], own)).code === 0,
  )
  t.equal((await readdir(place)).length, 4, 'nothing is left of the other')
  const target = await server.createDatabase()
  const restored = { APP_DATABASE__URL: target, APP_FILES__DIRECTORY: empty }
  t.match(await runCommand('restore', ['--from', place], restored), { code: 0, stdout: /none is missing/ })
  t.match(await runCommand('files', ['verify', '--digests'], restored), { code: 0 })
})

t.test('arguments that it does not know give the usage', async (t) => {
  const wrong = [
    [],
    ['verify', 'x'],
    ['verify', '--from', 'x'],
    ['restore'],
    ['restore', '--from', ''],
    ['remove-leftovers', '--json'],
  ]
  for (const args of wrong)
    t.match(await runCommand('files', args), { code: 2, stderr: /\nUsage: npm run files/ }, args.join(' '))
  const none = await runCommand('files', ['verify'], { APP_FILES__STORE: 'none' })
  t.match(none, { code: 1, stderr: /without a store of files/ })
})
