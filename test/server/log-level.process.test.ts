import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call, signUpRemote } from '#test/support/http.ts'
import { startService, type TestService } from '#test/support/process.ts'

/** The processes that have logged a probe, which stands at debug, since the log had so many lines. */
async function probed({ url, logs }: TestService, times: number): Promise<Set<unknown>> {
  const from = logs().length
  for (let sent = 0; sent < times; sent++) await call(`${url}/live`)
  // The log is written in order, so nothing is missing once this is there.
  for (let sent = 0; sent < times; sent++) await call(`${url}/api/v1/users/me`)
  await eventually(async () => {
    const lines = logs().slice(from)
    return lines.filter(({ operation }) => operation === 'getCurrentUser').length >= times
  })
  const lines = logs().slice(from)
  return new Set(lines.filter(({ operation }) => operation === 'getLiveness').map(({ pid }) => pid))
}

const changes = ({ logs }: TestService) =>
  logs().filter(({ msg }) => /^log levels changed/.test(String(msg))).length

t.test('SIGUSR2 turns debug on and off', async (t) => {
  const db = await createTestDatabase(t)
  const service = await startService(t, { APP_DATABASE__URL: db.url })
  t.equal((await probed(service, 1)).size, 0)
  service.child.kill('SIGUSR2')
  await eventually(async () => changes(service) === 1)
  t.equal((await probed(service, 1)).size, 1)
  service.child.kill('SIGUSR2')
  await eventually(async () => changes(service) === 2)
  t.equal((await probed(service, 1)).size, 0)
})

t.test('of all workers, and of those that come later; an admin too', async (t) => {
  const db = await createTestDatabase(t)
  const service = await startService(t, { APP_DATABASE__URL: db.url, APP_SERVER__WORKERS: '2' })
  service.child.kill('SIGUSR2')
  const seen = new Set<unknown>()
  await eventually(async () => {
    for (const pid of await probed(service, 5)) seen.add(pid)
    return seen.size === 2
  })
  const [victim] = [...seen]
  process.kill(Number(victim), 'SIGKILL')
  // Until its end is noticed it may be handed connections, which nobody answers then.
  await eventually(async () => service.logs().some(({ worker_pid }) => worker_pid === victim))
  await eventually(async () => {
    for (const pid of await probed(service, 5).catch(() => [])) seen.add(pid)
    return seen.size === 3
  })

  const user = await signUpRemote(service.url)
  await db.query(`UPDATE users SET role = 'admin' WHERE id = $1`, [user.id])
  const { text } = await call(`${service.url}/api/v1/auth/login`, {
    method: 'POST',
    json: { email: user.email, password: 'correct horse battery staple' },
  })
  const token = JSON.parse(text).access_token
  const url = `${service.url}/api/v1/operations/log-level`
  const answer = await call(url, { method: 'PUT', token, json: { level: 'info', reason: 'a test' } })
  t.equal(answer.status, 200)
  await eventually(async () => (await probed(service, 10)).size === 0)
})
