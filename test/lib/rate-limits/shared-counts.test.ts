import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { RateLimiter } from '#lib/rate-limits/rate-limiter.ts'
import type { Claim, Grant } from '#lib/rate-limits/store.ts'

const WINDOW = 60_000

/** A question to the store, which the test answers. */
interface Question {
  readonly claims: readonly Claim[]
  answer(...grants: Grant[]): void
  fail(): void
}

/** A limiter that counts in a store whose answers are the test's. */
function createLimiter({ window = WINDOW, instances = 1, maxClaims = 10 } = {}) {
  const questions: Question[] = []
  const state = { isAvailable: true, alone: 0 }
  const store = {
    get isAvailable() {
      return state.isAvailable
    },
    maxClaims,
    take: (claims: readonly Claim[]) =>
      new Promise<Grant[]>((resolve, reject) => {
        questions.push({
          claims,
          answer: (...grants) => resolve(grants),
          fail: () => reject(new Error('the store is away')),
        })
      }),
  }
  const limiter = new RateLimiter({
    windowMs: window,
    store: () => store,
    instances: () => instances,
    decidedAlone: () => state.alone++,
  })
  return { limiter, questions, state }
}

const granted = (granted: number, used: number, resetsIn = WINDOW): Grant => ({ granted, used, resetsIn })

t.test('alone, an instance keeps to its share, and to what others had used', async (t) => {
  const { limiter, questions, state } = createLimiter({ instances: 2 })
  const first = limiter.take('user', 10, 1)
  questions[0]?.answer(granted(1, 7))
  t.match(await first, { admitted: true, remaining: 3 })

  state.isAvailable = false
  t.match(limiter.take('user', 10, 2), { admitted: true, remaining: 1 }, 'others have used six')
  t.match(limiter.take('user', 10, 2), { admitted: false, remaining: 1, isRepeated: false })
  t.match(limiter.take('user', 10, 1), { admitted: true, remaining: 0 })
  t.match(limiter.take('user', 10, 1), { admitted: false, remaining: 0, isRepeated: true })

  t.match(limiter.take('another', 10, 5), { admitted: true, remaining: 0 }, 'half of it is its share')
  t.match(limiter.take('another', 10, 1), { admitted: false })
  t.equal(state.alone, 4, 'the refusals of the user needed no store')
})

t.test('what was decided alone is told to the store once', async (t) => {
  const { limiter, questions, state } = createLimiter()
  state.isAvailable = false
  t.match(limiter.take('user', 10, 3), { admitted: true, remaining: 7 })
  state.isAvailable = true

  const told = limiter.take('user', 10, 1)
  t.match(questions[0]?.claims, [{ subject: 'user', points: 10, owed: 3, wanted: 1 }])
  questions[0]?.answer(granted(1, 4))
  t.match(await told, { admitted: true, remaining: 6 })
  await turn()

  const next = limiter.take('user', 10, 1)
  t.match(questions[1]?.claims, [{ owed: 0, wanted: 1 }])
  questions[1]?.answer(granted(0, 10))
  t.match(await next, { admitted: false, remaining: 0 })
})

t.test('a grant that does not suffice is kept for cheaper requests', async (t) => {
  const { limiter, questions } = createLimiter()
  const expensive = limiter.take('user', 10, 5)
  questions[0]?.answer(granted(3, 9))
  t.match(await expensive, { admitted: false, remaining: 4, limit: 10 })
  t.match(limiter.take('user', 10, 3), { admitted: true, remaining: 1 })
  t.match(limiter.take('user', 10, 2), { admitted: false, remaining: 1 })
})

t.test('a busy client reserves a hundredth of what is left, divided between the instances', async (t) => {
  const { limiter, questions } = createLimiter({ instances: 2 })
  const busy = limiter.take('user', 100_000, 20_000)
  t.match(questions[0]?.claims, [{ wanted: 20_000 }], 'who is new reserves nothing')
  questions[0]?.answer(granted(20_000, 20_000))
  await busy
  await turn()
  // A turn later it is still within the first milliseconds of its window, at thousands a millisecond.
  const next = limiter.take('user', 100_000, 1)
  t.match(questions[1]?.claims, [{ wanted: 1 + 400 }])
  questions[1]?.answer(granted(401, 20_401))
  t.match(await next, { admitted: true, remaining: 79_999 }, 'what is reserved is not used')
  await turn()
  void limiter.take('user', 100_000, 500)
  t.match(questions[2]?.claims, [{ wanted: 500 }], 'a reserve that is there is not asked for again')
})

t.test('one question at a time, each of at most as many claims as the store takes', async (t) => {
  const { limiter, questions } = createLimiter({ maxClaims: 2 })
  const decisions = ['a', 'b', 'c', 'd', 'b'].map((subject) => limiter.take(subject, 10, 1))
  await turn()
  t.match(
    questions.map(({ claims }) => claims),
    [[{ subject: 'a' }]],
  )
  questions[0]?.answer(granted(1, 1))
  await turn()
  t.equal(questions.length, 2)
  t.match(questions[1]?.claims, [
    { subject: 'b', wanted: 2 },
    { subject: 'c', wanted: 1 },
  ])
  questions[1]?.answer(granted(2, 2), granted(1, 1))
  await turn()
  t.match(questions[2]?.claims, [{ subject: 'd' }])
  questions[2]?.answer(granted(1, 1))
  const remaining = (await Promise.all(decisions)).map((decision) => decision.remaining)
  t.strictSame(remaining, [9, 9, 9, 9, 8])
  await turn()
  t.equal(questions.length, 3)
})

t.test('who waits while the store goes away is decided alone', async (t) => {
  const { limiter, questions, state } = createLimiter()
  const first = limiter.take('a', 10, 1)
  const second = limiter.take('b', 10, 1)
  state.isAvailable = false
  questions[0]?.answer(granted(1, 1))
  t.match(await first, { admitted: true })
  t.match(await second, { admitted: true, remaining: 9 })
  t.equal(questions.length, 1, 'it was not asked')
  t.equal(state.alone, 1)
  await turn()

  state.isAvailable = true
  const third = limiter.take('c', 10, 1)
  questions[1]?.answer()
  t.match(await third, { admitted: true, remaining: 9 }, 'nor is an answer that lacks its grant one')
  t.equal(state.alone, 2)
})

t.test('a window that ends while the store is asked starts again', async (t) => {
  const window = 30
  const { limiter, questions } = createLimiter({ window })
  const first = limiter.take('user', 2, 1)
  questions[0]?.answer(granted(1, 1, window))
  t.match(await first, { admitted: true, remaining: 1 })
  const second = limiter.take('user', 2, 1)
  const asked = performance.now()
  while (performance.now() < asked + window) await turn()
  questions[1]?.fail()
  const decision = await second
  t.match(decision, { admitted: true, remaining: 1 })
  t.ok(decision.resetsIn > 0 && decision.resetsIn <= window)
})

t.test("an answer that comes after the window's end is of the next window", async (t) => {
  const window = 30
  const { limiter, questions } = createLimiter({ window })
  const first = limiter.take('user', 2, 1)
  questions[0]?.answer(granted(1, 1, window))
  await first
  const second = limiter.take('user', 2, 1)
  const asked = performance.now()
  while (performance.now() < asked + window) await turn()
  questions[1]?.answer(granted(1, 1, WINDOW))
  t.match(await second, { admitted: true, remaining: 1 })
  t.notOk(limiter.isOver('user', 2, 1), 'the point of the window before is not owed')
})

t.test('a store that grants more than the limit is not believed', async (t) => {
  const { limiter, questions } = createLimiter()
  const first = limiter.take('user', 10, 2)
  questions[0]?.answer(granted(2, 2))
  await first
  await turn()
  const second = limiter.take('user', 10, 8)
  questions[1]?.answer(granted(9, 9))
  t.match(await second, { admitted: true })
  t.match(limiter.take('user', 10, 1), { admitted: false, remaining: 0 })
})

t.test('isOver tells what is known to be refused', async (t) => {
  const { limiter, questions, state } = createLimiter()
  t.notOk(limiter.isOver('user', 10, 100), 'a cost above the limit counts as the limit')
  const first = limiter.take('user', 10, 5)
  questions[0]?.answer(granted(3, 8))
  await first
  t.notOk(limiter.isOver('user', 10, 3), 'it is granted already')
  t.ok(limiter.isOver('user', 10, 4))
  t.match(limiter.take('user', 10, 3), { admitted: true })
  t.notOk(limiter.isOver('user', 10, 2))
  t.ok(limiter.isOver('user', 10, 3))

  state.isAvailable = false
  limiter.take('another', 10, 3)
  t.notOk(limiter.isOver('another', 10, 7))
  t.ok(limiter.isOver('another', 10, 8), 'what the store has not heard of counts')
})
