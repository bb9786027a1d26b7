import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createKeyFile } from '#lib/signing-keys/signing-keys.ts'
import { runCommand } from '#test/support/command.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

t.test('npm run audit-log', async (t) => {
  const directory = t.testdir({})
  const { file } = await createKeyFile(directory)
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const env = { APP_DATABASE__URL: db.url, APP_AUDIT__SIGNING_KEY_FILE: file }
  const run = (...args: string[]) => runCommand('audit-log', args, { env })
  const tenant = await createOrganization(app)
  const org = tenant.organization.id
  for (let count = 0; count < 3; count++) await tenant.createProject()

  await t.test('signs what waits, and prints the notes', async (t) => {
    const signed = await run('checkpoint')
    t.match(signed, {
      code: 0,
      stdout:
        /^groundwork\/audit\n\d+\n\S{44}\nnumber 1\nat .*\nprevious A{43}=\n\n\u2014 groundwork\/audit /,
    })
    t.match(await run('checkpoint'), { code: 0, stdout: 'Nothing was sealed since checkpoint 1.\n' })
    await tenant.createProject()
    const copies = join(directory, 'copies')
    const kept = { ...env, APP_AUDIT__CHECKPOINT_DIRECTORY: copies }
    const second = await runCommand('audit-log', ['checkpoint'], { env: kept })
    t.match(second, { code: 0, stdout: /number 2\n/ })
    const files = ['checkpoint-000000000001.txt', 'checkpoint-000000000002.txt']
    t.strictSame((await readdir(copies)).sort(), files, 'the one before was missing')
    t.equal(await readFile(join(copies, 'checkpoint-000000000002.txt'), 'utf8'), second.stdout, 'a copy')
    t.match(await run('verify', '--checkpoints', copies), { code: 0, stdout: /2 of them kept elsewhere/ })
    t.match(await runCommand('audit-log', ['verify', '--copies'], { env: kept }), {
      code: 0,
      stdout: /2 of them kept elsewhere/,
    })
    const { stdout } = await run('checkpoints')
    await writeFile(join(directory, 'notes'), stdout)
    t.equal(stdout.match(/^number /gm)?.length, 2)
  })

  await t.test('says that the log is whole', async (t) => {
    const found = await run('verify', '--checkpoints', join(directory, 'notes'))
    t.match(found, { code: 0, stdout: /2 checkpoints, 2 of them kept elsewhere\nThe log is whole\.\n$/ })
    const unknown = await runCommand('audit-log', ['verify'], { env: { APP_DATABASE__URL: db.url } })
    t.match(unknown, { code: 0, stdout: /\n2 checkpoints have no signature of a known key/ })
    t.match(JSON.parse((await run('verify', '--org', org, '--json')).stdout), { chains: 1, problemCount: 0 })
    t.match(JSON.parse((await run('verify', '--since', '2999-01-01', '--json')).stdout), { entries: 0 })
  })

  await t.test('cuts off the beginning, and says so to the next verification', async (t) => {
    const { seq } =
      (
        await db.query<{ seq: number }>('SELECT max(seq)::int AS seq FROM audit_seals WHERE org_id = $1', [
          org,
        ])
      )[0] ?? {}
    t.match(await run('cut', '--before', '2999-01-01'), { code: 1, stderr: /Add --yes/ })
    t.match(await run('cut', '--before', '2999-01-01', '--org', org, '--yes'), {
      code: 0,
      stdout: /^Deleted \d+ entries of 1 chains\.\n$/,
    })
    const left = await db.query<{ seq: number }>(
      'SELECT seq::int AS seq FROM audit_seals WHERE org_id = $1',
      [org],
    )
    t.strictSame(left, [{ seq }], 'the last one stays')
    t.match(await run('verify', '--checkpoints', join(directory, 'notes')), {
      code: 0,
      stdout: /The log is whole/,
    })
  })

  await t.test('names what was changed by hand', async (t) => {
    await db.querySuper("SET session_replication_role = 'replica'")
    await db.querySuper(`UPDATE audit_entries SET actor_id = 'nobody' WHERE org_id = '${org}'`)
    await db.querySuper("SET session_replication_role = 'origin'")
    const found = await run('verify')
    t.equal(found.code, 1)
    t.match(
      found.stdout,
      new RegExp(`^entry_changed: organization ${org}, seq \\d+, entry \\S+: The entry is not`, 'm'),
    )
    t.match(found.stdout, /The log has been tampered with: 1 problems\.\n$/)
  })

  await t.test('does not know other arguments', async (t) => {
    for (const args of [
      [],
      ['fix'],
      ['verify', 'x'],
      ['verify', '--org', 'x'],
      ['cut'],
      ['verify', '--since', 'x'],
    ])
      t.equal((await run(...args)).code, 2, args.join(' '))
  })
})
