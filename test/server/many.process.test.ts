import t from 'tap'
import { amount } from '#test/support/amount.ts'
import { createEmptyDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call, registration } from '#test/support/http.ts'
import { startService } from '#test/support/process.ts'

const SERVICES = amount({ few: 4, many: 8 })

t.test(`${SERVICES} at once on one empty database`, async (t) => {
  const { url: databaseUrl, query } = await createEmptyDatabase(t)
  const env = { APP_DATABASE__URL: databaseUrl, APP_DATABASE__MAX_CONNECTIONS: '4' }
  const services = await Promise.all(Array.from({ length: SERVICES }, () => startService(t, env)))
  for (const { url } of services) {
    await eventually(async () => (await call(`${url}/ready`)).status === 200)
    // Several processes on few cores may well be overloaded for a moment, and say so.
    await eventually(async () => {
      const answer = await call(`${url}/api/v1/users`, { method: 'POST', json: registration() })
      return answer.status === 201
    })
  }
  t.same(await query('SELECT count(*)::int FROM users'), [{ count: SERVICES }])
  const rows = await query<{ version: number }>('SELECT version::int FROM schemaversion WHERE version > 0')
  t.equal(new Set(rows.map((row) => row.version)).size, rows.length, 'each migration is there once')
  const applied = services.flatMap(({ logs }) =>
    logs().filter(({ msg }) => typeof msg === 'string' && msg.startsWith('Applied ')),
  )
  t.equal(applied.length, rows.length, 'and was run once')
})
