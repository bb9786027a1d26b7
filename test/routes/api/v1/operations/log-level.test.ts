import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'

const url = '/api/v1/operations/log-level'

t.test('an admin sees and sets what is logged, and it is recorded who did', async (t) => {
  const { app, request, signUp, logs } = await borrowTestApp(t, { APP_LOG__LEVEL: 'info' })
  const admin = await signUp({ role: 'admin' })
  t.strictSame((await request({ url, as: admin })).json(), { level: 'info' })

  const asked = async (path: string) => {
    const { headers } = await request({ url: path, as: admin })
    return logs().filter((line) => line['request_id'] === headers['x-request-id'])
  }
  t.equal((await asked('/live')).length, 0)
  const payload = { level: 'debug', modules: { database: 'trace', jobs: 'error' } }
  const reason = 'Ticket 4711'
  const changed = await request({ method: 'PUT', url, as: admin, payload: { ...payload, reason } })
  t.strictSame([changed.statusCode, changed.json()], [200, payload])
  t.strictSame((await request({ url, as: admin })).json(), payload)
  t.equal((await asked('/live')).length, 1)
  await request({ url: '/api/v1/users', as: admin })
  await eventually(async () => logs().some((line) => line['module'] === 'database' && 'statement' in line))
  t.notOk(app.moduleLog('jobs').level === 'debug')
  t.match(
    logs().find(({ msg }) => msg === 'log levels changed by an admin'),
    {
      level: 'warn',
      user_id: admin.user.id,
      log_levels: payload,
    },
  )
  const entries = '/api/v1/operations/audit-entries?action=operations.changeLogLevels'
  const told = (await request({ url: entries, as: admin })).json().data
  t.equal(told.length, 1)
  t.match(told[0], { actor_kind: 'admin', actor_id: admin.user.id, outcome: 'succeeded' })
  t.strictSame(JSON.parse(told[0].details), { ...payload, reason })

  await request({ method: 'PUT', url, as: admin, payload: { level: 'warn', reason } })
  t.equal((await asked('/api/v1/users/me')).length, 0)
  t.equal(app.moduleLog('database').level, 'warn')
})

t.test('others may not, and invalid levels are refused', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const user = await signUp()
  t.equal((await request({ method: 'PUT', url, as: user, payload: { level: 'debug' } })).statusCode, 404)
  const admin = await signUp({ role: 'admin' })
  for (const payload of [{ level: 'silent' }, {}, { level: 'info', modules: { other: 'info' } }]) {
    t.equal((await request({ method: 'PUT', url, as: admin, payload })).statusCode, 400)
  }
})
