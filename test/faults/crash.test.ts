import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { assertAnswers, audit, startLoad } from './ledger.ts'
import { assertUnharmed, inTurn, notReady, ready, startRig } from './rig.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(600_000)

const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 3)

t.test('PostgreSQL dies under load and comes back: nothing that was acknowledged is lost', async (t) => {
  const { postgres, services, urls, admin } = await startRig(t, { instances: 2 })
  const load = startLoad(t, { target: inTurn(urls), token: admin.token })
  const readSelf = (url: string) => call(`${url}/api/v1/users/me`, { token: admin.token })
  for (let round = 1; round <= ROUNDS; round++) {
    await load.acknowledges(50)
    await postgres.crash()
    await load.fails(20)
    for (const url of urls) {
      await notReady(url)
      t.match(await call(`${url}/live`), { status: 200 })
    }
    await postgres.restart()
    for (const url of urls) await ready(url)
    // By themselves: nobody restarts an instance.
    await load.acknowledges(50)
    for (const url of urls) await eventually(async () => (await readSelf(url)).status === 200)
  }
  await load.stop()
  await audit(t, load, postgres)
  assertAnswers(t, load)
  assertUnharmed(t, services)
})
