import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { answerWithin, NoAnswer } from '#lib/waiting/patience.ts'

/** Keeps the event loop from turning. */
function block(milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}

t.test('answerWithin', async (t) => {
  t.test('returns a value that comes in time, and throws an error that does', async (t) => {
    t.equal(await answerWithin(Promise.resolve('x'), 20_000), 'x')
    await t.rejects(answerWithin(Promise.reject(new TypeError('y')), 20_000), TypeError)
  })

  t.test('gives up in the end, and drops what comes later', async (t) => {
    const late = Promise.withResolvers<void>()
    await t.rejects(answerWithin(late.promise, 8), NoAnswer)
    late.reject(new TypeError('too late'))
    await t.rejects(late.promise, TypeError)
  })

  t.test('a loop that stood still is not taken for a server that hangs', async (t) => {
    // The answer is there after 30 ms in which the loop turns, the limit is 40 ms, and the loop stands still for 200.
    const answer = answerWithin(sleep(30, 'x'), 40)
    block(200)
    t.equal(await answer, 'x')
  })
})
