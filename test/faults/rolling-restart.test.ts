import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { signUpRemote } from '#test/support/http.ts'
import { startService } from '#test/support/process.ts'
import { startLoadBalancer } from './load-balancer.ts'
import { startTraffic } from './traffic.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(1_800_000)

const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 10)

t.test('SIGTERM of each of three in turn under load: not one request fails', async (t) => {
  const db = await createTestDatabase(t)
  const env = { APP_DATABASE__URL: db.url, APP_DATABASE__MAX_CONNECTIONS: '4', APP_SERVER__DRAIN_DELAY: '4s' }
  const services = await Promise.all([1, 2, 3].map(() => startService(t, env)))
  const balancer = await startLoadBalancer(
    t,
    services.map(({ url }) => url),
  )
  await eventually(async () => balancer.ready().length === 3)
  const traffic = startTraffic(balancer.url, await signUpRemote(balancer.url))
  await traffic.goesOn(100)

  for (let round = 0; round < ROUNDS && traffic.failures().length === 0; round++) {
    for (let turn = 0; turn < 3; turn++) {
      const old = services.shift()
      if (!old) throw new Error('there are three')
      old.child.kill('SIGTERM')
      // Its successor starts meanwhile, so that there is enough to do for everyone.
      const next = await startService(t, env)
      services.push(next)
      balancer.add(next.url)
      t.same(await old.exited, { code: 0, signal: null })
      t.same(
        old.logs().filter(({ level }) => level === 'error' || level === 'fatal' || level === 'warn'),
        [],
        'nobody has to look at its log',
      )
      balancer.remove(old.url)
      await eventually(async () => balancer.ready().length === 3)
      await traffic.goesOn(50)
    }
  }
  await traffic.stop()
  t.same(traffic.failures().slice(0, 10), [], `of ${traffic.answered()} requests none failed`)
  t.comment(`${ROUNDS} rounds, ${traffic.answered()} requests`)
})
