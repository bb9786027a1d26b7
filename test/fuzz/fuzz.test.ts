import t from 'tap'
import { describe, fuzz } from './fuzz.ts'

/** Requests in the normal suite; `npm run fuzz` is for more, and for others. */
const RUNS = 10_000

t.test('requests made from the document, right and wrong', { timeout: 580_000 }, async (t) => {
  const { findings, tallies, errors } = await fuzz(t, { runs: RUNS, seed: 1 })

  t.test('every reply is one that the document declares', async (t) => {
    for (const finding of findings) t.fail(describe(finding))
    t.strictSame(errors, [], 'nobody has to look at the log')
  })

  t.test('and right ones succeed, so it is the operations that are asked', async (t) => {
    for (const [operationId, { valid, succeeded }] of tallies) {
      const share = `${operationId}: ${succeeded} of ${valid}`
      t.ok(valid > 0 && succeeded / valid >= 0.5, share, {
        help: 'What no schema can say of a request that succeeds belongs into test/fuzz/live-values.ts.',
      })
    }
  })

  const sent = [...tallies.values()].reduce((sum, tally) => sum + tally.sent, 0)
  t.ok(sent >= RUNS, `${sent} requests were sent`)
})
