import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Admission } from '#plugins/http/overload/admission.ts'

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

/** A loop that is turned by hand. */
function createLoop() {
  const clock = { time: 1_000_000 }
  const admission = new Admission({ turn: 50, waiting: 0 }, REST, () => clock.time)
  return {
    rest: (milliseconds: number) => {
      clock.time += milliseconds
    },
    /** One turn in which that many requests take that long; returns how many are refused. */
    async turn(requests: number, milliseconds: number): Promise<number> {
      let refused = 0
      for (let i = 0; i < requests; i++) {
        if (admission.refusal() !== undefined) refused++
        clock.time += milliseconds / requests
      }
      await turn()
      return refused
    },
  }
}

t.test('turns of the event loop', async (t) => {
  const loop = createLoop()
  t.equal(await loop.turn(200, 200), 0, 'one long turn is a hiccup')
  loop.rest(1000)
  t.equal(await loop.turn(200, 200), 0, 'another, later, too')
  t.ok((await loop.turn(200, 100)) > 0, 'but not one right after it')
  t.equal(await loop.turn(100, 100), 74, 'from then on half of the limit is served in each turn')
  t.equal(await loop.turn(100, 25), 0)
  loop.rest(1001)
  t.equal(await loop.turn(100, 60), 0, 'until turns were short for a second')
})

t.test('few requests are not a queue, however long they take', async (t) => {
  const loop = createLoop()
  for (let i = 0; i < 20; i++) t.equal(await loop.turn(128, 500), 0)
})

t.test('a busy loop with short turns refuses nothing', async (t) => {
  const loop = createLoop()
  for (let i = 0; i < 100; i++) t.equal(await loop.turn(300, 50), 0)
})
