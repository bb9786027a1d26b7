import t from 'tap'
import { createEmptyDatabase } from '#test/support/database.ts'
import { call, signUpRemote } from '#test/support/http.ts'
import { startPgBouncer, WITHOUT_PGBOUNCER } from '#test/support/pgbouncer.ts'
import { startService } from '#test/support/process.ts'

t.test(
  'PgBouncer in transaction mode, which knows no prepared statements: all works, migrations and jobs too',
  { skip: WITHOUT_PGBOUNCER },
  async (t) => {
    const db = await createEmptyDatabase(t)
    const env = { APP_DATABASE__URL: await startPgBouncer(t, db.url, { poolSize: 3 }) }
    const service = await startService(t, env)
    const other = await startService(t, env)
    const users = await Promise.all([1, 2, 3, 4].map(() => signUpRemote(service.url)))
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
      t.ok(logs().some(({ msg }) => msg === 'each request asks the database for the identity'))
      t.same(
        logs().filter(({ level }) => level === 'error'),
        [],
      )
    }
  },
)
