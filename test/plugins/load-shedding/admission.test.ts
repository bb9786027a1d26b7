import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Admission } from '../../../plugins/load-shedding/admission.ts'

/** A clock that is turned by hand. */
function createClock() {
  const clock = { time: 1_000_000, now: () => clock.time }
  return clock
}

t.test('callers that wait for the database', async (t) => {
  let waiting = 0
  let isBusy = true
  const load = { waiting: () => waiting, isBusy: () => isBusy }
  const admission = new Admission({ turn: 0, waiting: 3 }, load)
  t.equal(admission.refusal(), undefined)
  waiting = 2
  t.equal(admission.refusal(), undefined)
  waiting = 3
  t.equal(admission.refusal(), 'database')
  waiting = 2
  t.equal(admission.refusal(), undefined, 'at once when there is room')
  waiting = 3
  isBusy = false
  t.equal(admission.refusal(), undefined, 'while the loop has time, what needs no connection goes on')
  const unlimited = new Admission({ turn: 0, waiting: 0 }, { waiting: () => 1e6, isBusy: () => true })
  t.equal(unlimited.refusal(), undefined)
})

const REST = { waiting: () => 0, isBusy: () => false }

t.test('turns of the event loop', async (t) => {
  const clock = createClock()
  const admission = new Admission({ turn: 50, waiting: 0 }, REST, clock.now)

  /** One turn in which a request comes at once and another after so many milliseconds. */
  async function turnOf(milliseconds: number): Promise<string | undefined> {
    t.equal(admission.refusal(), undefined, 'the first of a turn is always served')
    clock.time += milliseconds
    const second = admission.refusal()
    await turn()
    return second
  }

  t.equal(await turnOf(200), undefined, 'one long turn is a hiccup')
  clock.time += 1000
  t.equal(await turnOf(200), undefined, 'another, later, too')
  t.equal(await turnOf(200), 'event_loop', 'but not one right after it')
  t.equal(await turnOf(40), undefined, 'what comes within the limit is served')
  t.equal(await turnOf(60), 'event_loop', 'once it has begun, for a while')
  clock.time += 1001
  t.equal(await turnOf(60), undefined, 'until turns were short for a second')
})

t.test('a busy loop with short turns refuses nothing', async (t) => {
  const clock = createClock()
  const admission = new Admission({ turn: 50, waiting: 0 }, REST, clock.now)
  for (let i = 0; i < 100; i++) {
    admission.refusal()
    clock.time += 49
    t.equal(admission.refusal(), undefined)
    await turn()
  }
})
