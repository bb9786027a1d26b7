import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { freePort } from '../../services/embedded-postgres/server.ts'
import { createTestDatabase } from '../database.ts'
import { eventually } from '../eventually.ts'
import { call, signUp } from '../http.ts'
import { startProcess, startService } from '../process.ts'

const skip = spawnSync('pgbouncer', ['--version']).status === 0 ? false : 'there is no pgbouncer'

/** Starts PgBouncer in transaction mode before a database, with two connections for all; gives its URL. */
async function startPgBouncer(t: Test, url: string): Promise<string> {
  const { hostname, port, username, password, pathname } = new URL(url)
  const directory = await mkdtemp(join(tmpdir(), 'groundwork-'))
  // It does not run as root, and its other user has to read it.
  await chmod(directory, 0o755)
  t.teardown(() => rm(directory, { recursive: true }))
  const own = await freePort()
  await writeFile(join(directory, 'users.txt'), `"${username}" "${decodeURIComponent(password)}"\n`)
  await writeFile(
    join(directory, 'pgbouncer.ini'),
    `[databases]
* = host=${hostname} port=${port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${own}
unix_socket_dir =
auth_type = plain
auth_file = ${join(directory, 'users.txt')}
pool_mode = transaction
default_pool_size = 2
ignore_startup_parameters = extra_float_digits, statement_timeout, lock_timeout, idle_in_transaction_session_timeout
${process.getuid?.() === 0 ? 'user = nobody' : ''}
`,
  )
  startProcess(t, 'pgbouncer', [join(directory, 'pgbouncer.ini')])
  const pooled = `postgres://${username}:${password}@127.0.0.1:${own}${pathname}`
  await eventually(async () => {
    const client = new pg.Client(pooled)
    return client.connect().then(
      () => client.end().then(() => true),
      () => false,
    )
  })
  return pooled
}

t.test(
  'PgBouncer in transaction mode, of before 1.21: all works without prepared statements',
  { skip },
  async (t) => {
    const db = await createTestDatabase(t)
    const env = {
      APP_DATABASE__URL: await startPgBouncer(t, db.url),
      APP_DATABASE__PREPARED_STATEMENTS: 'false',
      APP_DATABASE__MIGRATE_ON_START: 'false',
      APP_ROLE: 'web',
    }
    const service = await startService(t, env)
    const other = await startService(t, env)
    const users = await Promise.all([1, 2, 3, 4].map(() => signUp(service.url)))
    const statuses = new Set<number>()
    for (let round = 0; round < 25; round++) {
      const answers = users.flatMap(({ token }, index) =>
        [service, other].flatMap(({ url }) => [
          call(`${url}/api/v1/users/me`, { token }),
          call(`${url}/api/v1/users/me`, {
            token,
            method: 'PATCH',
            json: { username: `name-${index}-${round}` },
          }),
        ]),
      )
      for (const { status } of await Promise.all(answers)) statuses.add(status)
    }
    t.same([...statuses], [200])
    for (const { logs } of [service, other]) {
      t.ok(logs().some(({ msg }) => msg === 'each request asks the database who may pass'))
      t.same(
        logs().filter(({ level }) => level === 'error'),
        [],
      )
    }
  },
)
