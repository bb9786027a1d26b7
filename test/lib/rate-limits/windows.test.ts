import t from 'tap'
import { RateLimiter } from '#lib/rate-limits/rate-limiter.ts'
import type { Claim, Grant, Store } from '#lib/rate-limits/store.ts'
import { Windows } from '#lib/rate-limits/windows.ts'

const WINDOW = 1000

/** A store that counts as it should, and can forget everything. */
function countingStore(points: number) {
  const claims: Claim[] = []
  let used = 0
  const store: Store = {
    isAvailable: true,
    maxClaims: 10,
    take: async (asked) => {
      claims.push(...asked)
      return asked.map(({ owed, wanted }): Grant => {
        const granted = Math.max(0, Math.min(wanted, points - used - owed))
        used += owed + granted
        return { granted, used, resetsIn: 3_600_000 }
      })
    },
  }
  const forget = () => {
    used = 0
  }
  return { store, claims, forget }
}

function limiterWith(store: Store | undefined, instances = 1): RateLimiter {
  return new RateLimiter({
    windowMs: 3_600_000,
    store: () => store,
    instances: () => instances,
    decidedAlone: () => undefined,
  })
}

t.test('a window ends at its time, however many requests come in it', async (t) => {
  const windows = new Windows(WINDOW)
  const window = windows.at('a', 0)
  window.admitted = 3
  for (const now of [1, 500, 999]) {
    t.equal(windows.at('a', now), window)
    t.match(window, { endsAt: WINDOW, admitted: 3 })
  }
  t.equal(windows.at('a', WINDOW), window)
  t.match(window, { endsAt: 2 * WINDOW, admitted: 0, owed: 0, credit: 0, used: 0, isRefused: false })
  t.match(windows.at('b', 700), { endsAt: 1700 }, 'each has its own')
})

t.test('a window that restarts forgets everything', async (t) => {
  const window = new Windows(WINDOW).at('a', 0)
  Object.assign(window, { admitted: 1, owed: 2, credit: 3, used: 4, isRefused: true })
  window.restart(5)
  t.match(window, { endsAt: 5, admitted: 0, owed: 0, credit: 0, used: 0, isRefused: false })
})

t.test(
  'an answer of the store counts from the question, and what it has forgotten is owed to it',
  async (t) => {
    const window = new Windows(WINDOW).at('a', 0)
    window.admitted = 4
    window.owed = 3
    window.learn({ granted: 2, used: 9, resetsIn: 600 }, { owed: 3, sentAt: 100, now: 300 })
    t.match(window, { endsAt: 700, admitted: 4, owed: 0, credit: 2, used: 9 })
    window.learn({ granted: 1, used: 1, resetsIn: 600 }, { owed: 0, sentAt: 300, now: 310 })
    t.match(window, { credit: 3, used: 1, owed: 6 }, '4 admitted and 3 granted, of which it knows 1')
    window.learn({ granted: 0, used: 7, resetsIn: 600 }, { owed: 6, sentAt: 320, now: 330 })
    t.match(window, { owed: 0, used: 7 })
    window.learn({ granted: 5, used: 5, resetsIn: 600 }, { owed: 0, sentAt: 900, now: window.endsAt })
    t.match(window, { endsAt: 1500, admitted: 0, owed: 0, credit: 5, used: 5 }, 'of its next window')
  },
)

t.test('what was admitted while the question was under way is still owed, and not twice', async (t) => {
  const window = new Windows(WINDOW).at('a', 0)
  window.admitted = 4
  window.owed = 3
  window.learn({ granted: 0, used: 2, resetsIn: 600 }, { owed: 1, sentAt: 100, now: 110 })
  t.match(window, { owed: 2, used: 2 })
})

t.test('after FLUSHALL one request is enough to know the debt, and the next one tells it', async (t) => {
  const { store, claims, forget } = countingStore(10)
  const limiter = limiterWith(store)
  for (let sent = 0; sent < 8; sent++) t.match(await limiter.take('a', 10, 1), { admitted: true })
  forget()
  t.match(await limiter.take('a', 10, 1), { admitted: true, remaining: 9 })
  t.match(await limiter.take('a', 10, 1), { admitted: true, remaining: 0 })
  t.match(claims.at(-1), { owed: 8 })
  t.match(await limiter.take('a', 10, 1), { admitted: false, remaining: 0 })
})

t.test('a store that has forgotten grants too much, which is not given away', async (t) => {
  const { store, forget } = countingStore(10)
  const limiter = limiterWith(store)
  for (let sent = 0; sent < 8; sent++) await limiter.take('a', 10, 1)
  forget()
  const decisions = await Promise.all([5, 1, 1].map((cost) => limiter.take('a', 10, cost)))
  t.match(decisions, [{ admitted: false, remaining: 2 }, { admitted: true }, { admitted: true }])
})

t.test('alone, an instance has its share, and a cost beyond it counts as the share', async (t) => {
  const limiter = limiterWith({ ...countingStore(10).store, isAvailable: false }, 3)
  t.match(await limiter.take('a', 10, 1), { admitted: true, remaining: 2 })
  t.match(await limiter.take('a', 10, 3), { admitted: false, remaining: 2, isRepeated: false })
  t.match(await limiter.take('a', 10, 2), { admitted: true, remaining: 0 })
  t.match(await limiter.take('a', 10, 1), { admitted: false, isRepeated: true })
  t.match(await limiter.take('b', 10, 20), { admitted: true, remaining: 0 })
  t.match(await limiter.take('c', 1, 1), { admitted: true }, 'one at least')
})

t.test('a request that is over the limit is known to be, and nothing is taken for asking', async (t) => {
  const limiter = limiterWith(undefined)
  t.equal(limiter.isOver('a', 3, 3), false)
  t.equal(limiter.isOver('a', 3, 20), false, 'costs more than all: it is all')
  await limiter.take('a', 3, 2)
  t.equal(limiter.isOver('a', 3, 1), false)
  t.equal(limiter.isOver('a', 3, 2), true)
  t.match(await limiter.take('a', 3, 1), { admitted: true, remaining: 0 })
  t.equal(limiter.isOver('a', 3, 1), true)
})
