import t from 'tap'
import { call } from '#test/support/http.ts'
import { assertAnswers, audit, startLoad, write, writeId } from './ledger.ts'
import { assertUnharmed, BOUND, notReady, ready, startRig, unavailable } from './rig.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(600_000)

const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 2)

t.test('packets vanish, both ways or one: 503 within the limits, and recovery', async (t) => {
  const { postgres, services, urls, admin } = await startRig(t)
  const url = urls[0] ?? ''
  // Who is not answered within the bound has no answer, and that is a fault.
  const load = startLoad(t, { target: () => url, token: admin.token, patience: () => BOUND })
  for (let round = 1; round <= ROUNDS; round++) {
    for (const fault of [postgres.proxy.hang, postgres.proxy.swallow]) {
      await load.acknowledges(50)
      fault()
      await load.fails(20)
      await notReady(url)
      t.match(await call(`${url}/live`), { status: 200 })
      await postgres.proxy.restore()
      await ready(url)
    }
  }
  await load.acknowledges(50)
  await load.stop()
  await audit(t, load, postgres)
  assertAnswers(t, load)
  assertUnharmed(t, services)
})

t.test('a slow network is only slow', async (t) => {
  const { postgres, services, urls, admin } = await startRig(t)
  const load = startLoad(t, { target: () => urls[0] ?? '', token: admin.token })
  await load.acknowledges(20)
  postgres.proxy.delay(50)
  await load.acknowledges(30)
  postgres.proxy.delay(0)
  await load.stop()
  const balance = await audit(t, load, postgres)
  t.equal(balance.acknowledged, load.entries.length)
  assertUnharmed(t, services)
})

t.test('committed, and the answer lost: at most once, however often it is tried again', async (t) => {
  const { postgres, services, urls, admin } = await startRig(t)
  const { proxy } = postgres
  const url = urls[0] ?? ''
  const done = []
  for (let round = 1; round <= 5; round++) {
    const id = writeId()
    proxy.loseCommits(1)
    unavailable(t, await write(url, admin.token, id))
    t.equal(proxy.lostAnswers, round, 'the server had answered')
    const again = await write(url, admin.token, id)
    t.match(again, { status: 409, text: /email_taken/ }, 'the second try finds the first')
    done.push({ id, status: 503, answer: undefined, error: undefined })
  }

  const load = startLoad(t, { target: () => url, token: admin.token })
  await load.acknowledges(20)
  const before = proxy.lostAnswers
  proxy.loseCommits(25)
  await load.fails(25)
  await load.acknowledges(20)
  await load.stop()
  const balance = await audit(t, { entries: [...done, ...load.entries] }, postgres)
  t.equal(proxy.lostAnswers - before, 25)
  t.equal(balance.unacknowledged, 30, 'each was done, once')
  assertAnswers(t, load)
  assertUnharmed(t, services)
})
