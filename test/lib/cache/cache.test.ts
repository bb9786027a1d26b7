import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Cache, type CacheResult, type Loaded, type Shared } from '#lib/cache/cache.ts'
import { eventually } from '#test/support/eventually.ts'

/** A cache whose source answers when the test says so. */
function heldCache({
  isTrusted = () => true,
  shared,
}: {
  isTrusted?: () => boolean
  shared?: Shared<string>
} = {}) {
  const questions: ((value: string | undefined) => void)[] = []
  const results: CacheResult[] = []
  const cache = new Cache<string>({
    maxEntries: 10,
    maxAge: 60_000,
    read: () =>
      new Promise<Loaded<string> | undefined>((resolve) =>
        questions.push((value) =>
          resolve(
            value === undefined
              ? undefined
              : { value, owner: 'owner', lifetimeMs: 60_000, readAt: Date.now() },
          ),
        ),
      ),
    isTrusted,
    shared,
    answered: (result) => results.push(result),
  })
  return { cache, questions, results, answer: (value?: string) => questions.shift()?.(value) }
}

t.test(
  'a value is kept for its age less a tenth at most, so that not all are read again at once',
  async (t) => {
    const elapsed = performance.now.bind(performance)
    let ahead = 0
    t.intercept(performance, 'now', { value: () => elapsed() + ahead })
    t.intercept(Math, 'random', { value: () => 0.99 })
    const { cache, answer } = heldCache()
    const loading = cache.load('a')
    await nextTurn()
    answer('one')
    await loading
    ahead = 50_000
    // The library asks for the time once in a millisecond.
    await sleep(2)
    t.equal(cache.peek('a'), 'one')
    ahead = 54_100
    await eventually(async () => cache.peek('a') === undefined)
  },
)

t.test('those who ask at once share one reading', async (t) => {
  const { cache, questions, results, answer } = heldCache()
  const loading = [cache.load('a'), cache.load('a'), cache.load('b')]
  await nextTurn()
  t.equal(questions.length, 2)
  answer('one')
  answer('two')
  t.same(await Promise.all(loading), ['one', 'one', 'two'])
  t.equal(cache.peek('a'), 'one')
  t.same(results, ['miss', 'miss', 'memory'])
})

for (const [name, forget] of Object.entries({
  key: (cache: Cache<string>) => cache.forget('a'),
  owner: (cache: Cache<string>) => cache.forgetOwner('owner'),
  all: (cache: Cache<string>) => cache.forgetAll(),
})) {
  t.test(`who asks after something changed does not get what was asked before it (${name})`, async (t) => {
    const { cache, questions, answer } = heldCache()
    const before = cache.load('a')
    await nextTurn()
    forget(cache)
    const after = cache.load('a')
    await nextTurn()
    t.equal(questions.length, 2)
    answer('old')
    answer('new')
    t.same(await Promise.all([before, after]), ['old', 'new'])
    t.equal(cache.peek('a'), 'new')
  })
}

t.test('while nobody tells of changes, each asks for itself', async (t) => {
  const { cache, questions, answer } = heldCache({ isTrusted: () => false })
  const loading = [cache.load('a'), cache.load('a')]
  await nextTurn()
  t.equal(questions.length, 2)
  answer('one')
  answer('two')
  t.same(await Promise.all(loading), ['one', 'two'])
  t.equal(cache.peek('a'), undefined)
})

t.test('what is not there is not kept, and can be asked for again', async (t) => {
  const { cache, answer } = heldCache()
  const first = cache.load('a')
  await nextTurn()
  answer()
  t.equal(await first, undefined)
  const second = cache.load('a')
  await nextTurn()
  answer('there')
  t.equal(await second, 'there')
  const reloaded = cache.reload('a')
  answer('changed')
  t.equal(await reloaded, 'changed')
  t.equal(cache.peek('a'), 'changed')
})

t.test('an answer of the others that comes after a change is read at the source', async (t) => {
  const shared = Promise.withResolvers<{ value: string; owner: string; lifetimeMs: number }>()
  const set: string[] = []
  const { cache, questions, results, answer } = heldCache({
    shared: {
      get: () => shared.promise,
      set: (_key, { value }) => set.push(value),
      distrust: () => undefined,
      distrustAll: () => undefined,
    },
  })
  const loading = cache.load('a')
  cache.forgetOwner('owner')
  shared.resolve({ value: 'old', owner: 'owner', lifetimeMs: 1000 })
  while (questions.length === 0) await nextTurn()
  answer('new')
  t.equal(await loading, 'new')
  t.same(set, ['new'])
  t.equal(cache.peek('a'), 'new')
  cache.forget('a')
  t.equal(await cache.load('a'), 'old', 'nothing has changed since this question')
  t.same(results, ['miss', 'memory', 'shared'])
})
