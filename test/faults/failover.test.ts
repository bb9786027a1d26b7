import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { assertAnswers, audit, startLoad } from './ledger.ts'
import { assertUnharmed, inTurn, ready, startRig } from './rig.ts'
import { startStandby } from './standby.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(600_000)

/** Size of the two pools. */
const CONNECTIONS = 20

t.test('to a standby that only reads, back, and to the standby for good', async (t) => {
  const { postgres, services, urls, admin } = await startRig(t, { instances: 2 })
  const standby = await startStandby(t, postgres)
  const readSelf = (url: string) => call(`${url}/api/v1/users/me`, { token: admin.token })
  const load = startLoad(t, { target: inTurn(urls), token: admin.token })
  await load.acknowledges(50)

  // The address leads to the standby, as it does when a failover goes wrong half-way.
  postgres.proxy.retarget(standby.url)
  await postgres.proxy.restore()
  await load.fails(50)
  for (const url of urls) await eventually(async () => (await readSelf(url)).status === 200)
  const before = load.count(201)
  await load.fails(50)
  t.equal(load.count(201), before, 'nothing is written to a standby')

  // Back again, and nobody tells the connections: who is refused a write on one has to leave it.
  const refused = load.count(503)
  postgres.proxy.retarget(postgres.direct())
  await load.acknowledges(200)
  t.ok(load.count(503) - refused <= CONNECTIONS, 'each of the connections costs one write at most')

  await postgres.crash()
  postgres.proxy.retarget(standby.url)
  await load.fails(20)
  await standby.promote()
  await load.acknowledges(50)
  await load.stop()
  await audit(t, load, standby)
  assertAnswers(t, load)
  for (const url of urls) await ready(url)
  assertUnharmed(t, services)
})
