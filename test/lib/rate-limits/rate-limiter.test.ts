import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { RateLimiter } from '#lib/rate-limits/rate-limiter.ts'
import type { Store } from '#lib/rate-limits/store.ts'

const POINTS = 100_000
const WINDOW = 10_000

/** Grants whatever is asked for, when the test says so. */
function heldStore() {
  const answers: (() => void)[] = []
  let used = 0
  const store: Store = {
    isAvailable: true,
    maxClaims: 10,
    take: (claims) => {
      const grants = claims.map(({ wanted }) => {
        used += wanted
        return { granted: wanted, used, resetsIn: WINDOW }
      })
      return new Promise((resolve) => answers.push(() => resolve(grants)))
    },
  }
  const answer = async () => {
    // What was asked meanwhile is sent first.
    await turn()
    answers.shift()?.()
  }
  return { store, answer }
}

t.test('who waits for the store is not refused for credit that others used meanwhile', async (t) => {
  const { store, answer } = heldStore()
  const limiter = new RateLimiter({
    windowMs: WINDOW,
    store: () => store,
    instances: () => 1,
    decidedAlone: () => undefined,
  })
  const take = (cost: number) => limiter.take('user', POINTS, cost)
  // So much that the credit is a share of what is left, however long the answer takes.
  const busy = take(20_000)
  await answer()
  t.match(await busy, { admitted: true })
  const reserving = take(1)
  await answer()
  t.match(await reserving, { admitted: true })

  const expensive = take(1000)
  let cheap = 0
  for (let decision = take(1); !(decision instanceof Promise); decision = take(1)) cheap++
  t.ok(cheap > 100, 'the credit is used up')
  await answer()
  t.match(await expensive, { admitted: true })
  await answer()
})

t.test('who refuses everybody tells all the same what it has admitted alone', async (t) => {
  const told: number[] = []
  let isAway = true
  const store: Store = {
    isAvailable: true,
    maxClaims: 10,
    take: async (claims) => {
      if (isAway) throw new Error('there is no answer in time')
      told.push(...claims.map(({ owed }) => owed))
      return claims.map(({ owed }) => ({ granted: 0, used: owed, resetsIn: WINDOW }))
    },
  }
  const limiter = new RateLimiter({
    windowMs: WINDOW,
    store: () => store,
    instances: () => 1,
    decidedAlone: () => undefined,
  })
  t.match(await limiter.take('user', 10, 10), { admitted: true })
  isAway = false
  t.match(await limiter.take('user', 10, 1), { admitted: false })
  await turn()
  t.strictSame(told, [10])
  t.match(await limiter.take('user', 10, 1), { admitted: false })
  await turn()
  t.strictSame(told, [10], 'once')
})

t.test(
  'what is asked for in advance is what a client uses in a moment, and a share of what is left',
  async (t) => {
    const hour = 3_600_000
    const wanted: number[] = []
    let resetsIn = hour
    const store: Store = {
      isAvailable: true,
      maxClaims: 10,
      take: async (claims) => {
        wanted.push(...claims.map((claim) => claim.wanted))
        return claims.map((claim) => ({ granted: claim.wanted, used: 100, resetsIn }))
      },
    }
    const limiter = (instances: number) =>
      new RateLimiter({
        windowMs: hour,
        store: () => store,
        instances: () => instances,
        decidedAlone: () => undefined,
      })
    const [alone, four] = [limiter(1), limiter(4)]
    t.match(await alone.take('user', 1000, 500), { admitted: true })
    t.match(await alone.take('user', 1000, 1), { admitted: true })
    t.match(await four.take('user', 2000, 500), { admitted: true })
    t.match(await four.take('user', 2000, 1), { admitted: true })
    t.strictSame(
      wanted,
      [500, 6, 500, 4],
      'the request, and a hundredth of the 500 that are left, or of the 1500 between four',
    )
    // Late in its window a client is known to be slow.
    resetsIn = 60_000
    wanted.length = 0
    t.match(await alone.take('slow', 1000, 500), { admitted: true })
    t.match(await alone.take('slow', 1000, 1), { admitted: true })
    t.strictSame(wanted, [500, 1])
    // A tenth of a second after its beginning, or more, it has used a thousand in that time at most.
    resetsIn = hour - 100
    t.match(await alone.take('fast', 1_000_000, 1000), { admitted: true })
    t.match(await alone.take('fast', 1_000_000, 1), { admitted: true })
    t.ok(Number(wanted.at(-1)) <= 1001, `${wanted.at(-1)}`)
  },
)
