import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { type Answer, call } from '#test/support/http.ts'
import { startService, type TestService } from '#test/support/process.ts'
import { copyProject } from '#test/support/project-copy.ts'
import { audit, startLoad } from './ledger.ts'
import { startPostgres } from './postgres.ts'
import { assertUnharmed, inTurn, ready, signUpAdmin } from './rig.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(600_000)

/** A new version: users get a label. Expand: a column that old code does not notice. */
const EXPAND = 'ALTER TABLE users ADD COLUMN label text;\n'
/** Contract: what old code wrote is filled in, and what it would write is refused from now on. */
const CONTRACT = `UPDATE users SET label = username WHERE label IS NULL;
ALTER TABLE users ADD CONSTRAINT users_label_given CHECK (label IS NOT NULL) NOT VALID;
ALTER TABLE users VALIDATE CONSTRAINT users_label_given;
`

/** Makes a version of the service with these migrations on top of ours, whose code writes what they add. */
async function release(t: Test, migrations: Record<string, string>): Promise<string> {
  const { directory } = await copyProject(t)
  for (const [name, sql] of Object.entries(migrations)) {
    await writeFile(join(directory, 'migrations', name), sql)
  }
  const file = join(directory, 'services/users/queries.ts')
  const code = await readFile(file, 'utf8')
  const changed = code
    .replace('password_hash, role, email_verified_at)', 'password_hash, role, email_verified_at, label)')
    .replace('CASE WHEN $6 THEN now() END)', 'CASE WHEN $6 THEN now() END, $3)')
  t.not(changed, code)
  await writeFile(file, changed)
  return directory
}

/** The number of the first migration that a new version has. */
async function nextVersion(postgres: Awaited<ReturnType<typeof startPostgres>>): Promise<number> {
  const [row] = await postgres.query<{ next: number }>(
    'SELECT max(version)::int + 1 AS next FROM schemaversion',
  )
  return row?.next ?? 0
}

t.test('old and new side by side over expand and contract: not one request fails', async (t) => {
  const postgres = await startPostgres(t)
  const env = { APP_DATABASE__URL: postgres.url, APP_ROLE: 'web' }
  const old = await startService(t, env)
  await ready(old.url)
  const admin = await signUpAdmin(old.url, postgres)
  const next = await nextVersion(postgres)
  const number = (offset: number) => String(next + offset).padStart(3, '0')
  const expand = { [`${number(0)}.do.expand.sql`]: EXPAND }
  const contract = { ...expand, [`${number(1)}.do.contract.sql`]: CONTRACT }

  let target = inTurn([old.url])
  const load = startLoad(t, { target: () => target(), token: admin.token, writers: 4 })
  const reads: Answer[] = []
  const deploy = async (directory: string, others: TestService[]): Promise<TestService> => {
    const service = await startService(t, env, { cwd: directory })
    await ready(service.url)
    target = inTurn([service, ...others].map(({ url }) => url))
    await load.acknowledges(40)
    for (const { url } of [service, ...others]) {
      reads.push(await call(`${url}/api/v1/users/me`, { token: admin.token }))
      reads.push(await call(`${url}/api/v1/users?limit=5`, { token: admin.token }))
    }
    return service
  }
  const retire = async (service: TestService, heirs: TestService[]): Promise<void> => {
    target = inTurn(heirs.map(({ url }) => url))
    // Nothing is sent there any more; what is under way is answered.
    await load.acknowledges(20)
    service.child.kill('SIGTERM')
    t.match(await service.exited, { code: 0 })
  }

  await load.acknowledges(40)
  const second = await deploy(await release(t, expand), [old])
  // One of the old version may still come, as when a machine is replaced, or the release is taken back.
  const late = await startService(t, env)
  await ready(late.url)
  target = inTurn([old.url, second.url, late.url])
  await load.acknowledges(40)
  await retire(late, [old, second])
  await retire(old, [second])
  const third = await deploy(await release(t, contract), [second])
  await retire(second, [third])
  await load.acknowledges(40)
  await load.stop()

  t.equal(load.count(201), load.entries.length, 'no write failed')
  t.ok(
    reads.every(({ status }) => status === 200),
    'no read failed',
  )
  await audit(t, load, postgres)
  const [row] = await postgres.query('SELECT count(*)::int AS unlabelled FROM users WHERE label IS NULL')
  t.same(row, { unlabelled: 0 })
  await eventually(async () => {
    const { text } = await call(`${third.url}/ready`)
    return text.includes('"migrations"') && !text.includes('pending')
  })
  assertUnharmed(t, [third])
})
