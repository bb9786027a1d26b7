import { availableParallelism } from 'node:os'
import { verify } from '@node-rs/argon2'
import t from 'tap'
import { PasswordQueueFull } from '#services/passwords/errors.ts'
import { type PasswordObserver, Passwords } from '#services/passwords/passwords.ts'

const CORES = availableParallelism()
const CONFIG = { memory_cost: 19 * 1024 * 1024, time_cost: 2, parallelism: 1, max_queue: 8 }
const IGNORE: PasswordObserver = { hashed: () => undefined }

t.test('a hash is a PHC string that only its password opens', async (t) => {
  const passwords = new Passwords({ ...CONFIG, time_cost: 3, parallelism: 2 }, IGNORE)
  const [first, second] = await Promise.all([
    passwords.hash('correct horse'),
    passwords.hash('correct horse'),
  ])
  t.match(first, /^\$argon2id\$v=19\$m=19456,t=3,p=2\$[\w+/]{22}\$[\w+/]{43}$/)
  t.not(first, second, 'each has a salt of its own')
  t.ok(await verify(first, 'correct horse'), 'by the standard')
  t.equal(await passwords.verify(first, 'correct horse'), true)
  t.equal(await passwords.verify(first, 'correct horse '), false)
  t.equal(await passwords.verify(first, ''), false)
})

t.test('a hash made with other parameters still opens, and is outdated', async (t) => {
  const old = await new Passwords(CONFIG, IGNORE).hash('correct horse')
  const rows = [
    { config: CONFIG, outdated: false },
    { config: { ...CONFIG, max_queue: 0 }, outdated: false },
    { config: { ...CONFIG, memory_cost: 20 * 1024 * 1024 }, outdated: true },
    { config: { ...CONFIG, time_cost: 3 }, outdated: true },
    { config: { ...CONFIG, time_cost: 20 }, outdated: true },
    { config: { ...CONFIG, parallelism: 2 }, outdated: true },
  ]
  for (const { config, outdated } of rows) {
    const passwords = new Passwords(config, IGNORE)
    t.equal(passwords.isOutdated(old), outdated, JSON.stringify(config))
    t.equal(await passwords.verify(old, 'correct horse'), true)
  }
  const passwords = new Passwords(CONFIG, IGNORE)
  for (const other of [old.replace('argon2id', 'argon2i'), old.replace('v=19', 'v=16'), '', '$2b$10$abc']) {
    t.equal(passwords.isOutdated(other), true, other)
  }
})

t.test('without a hash the same work is done, and the answer is no', async (t) => {
  const seen: string[] = []
  const passwords = new Passwords(CONFIG, { hashed: (operation) => seen.push(operation) })
  await passwords.prepare()
  t.same(seen, [], 'the decoy is not measured as work of a caller')
  t.equal(await passwords.verify(undefined, 'anything'), false)
  t.equal(await passwords.verify(undefined, 'no account has this password'), false, 'not even by its own')
  t.same(seen, ['verify', 'verify'])
})

t.test('the decoy makes itself when nothing prepared it', async (t) => {
  const passwords = new Passwords(CONFIG, IGNORE)
  t.same(await Promise.all([1, 2].map(() => passwords.verify(undefined, 'anything'))), [false, false])
})

t.test('as many run at once as there are cores, a bounded number waits, the rest is refused', async (t) => {
  for (const max_queue of [0, 1, 8]) {
    const seen: number[] = []
    const passwords = new Passwords({ ...CONFIG, max_queue }, { hashed: (_, seconds) => seen.push(seconds) })
    const room = CORES + max_queue
    const started = Array.from({ length: room + 5 }, () => attempt(() => passwords.hash('correct horse')))
    t.equal(passwords.queueLength, max_queue, 'the others run')
    const results = await Promise.all(started)
    t.equal(results.filter((result) => typeof result === 'string').length, room)
    const refused = results.filter((result) => result instanceof PasswordQueueFull)
    t.equal(refused.length, 5)
    t.match(refused, [{ retryAfter: 2, definition: { code: 'password_queue_full', status: 503 } }])
    t.equal(seen.length, room, 'what was refused was not computed')
    t.ok(seen.every((seconds) => seconds > 0))
    t.equal(passwords.queueLength, 0)
    t.type(await passwords.hash('correct horse'), 'string', 'there is room again')
  }
})

t.test('processes that share the cores take their part, one hash at least', async (t) => {
  for (const sharers of [1, 2, CORES + 1]) {
    const passwords = new Passwords({ ...CONFIG, max_queue: 100 }, IGNORE, sharers)
    const work = Array.from({ length: CORES * 2 }, () => passwords.hash('correct horse'))
    t.equal(work.length - passwords.queueLength, Math.ceil(CORES / sharers))
    await Promise.all(work)
  }
})

t.test('a caller who would find the queue full is refused before anything else', async (t) => {
  const passwords = new Passwords({ ...CONFIG, max_queue: 1 }, IGNORE)
  const places = Array.from({ length: CORES + 1 }, () => passwords.enter())
  t.throws(() => passwords.enter(), PasswordQueueFull)
  for (const place of places) place[Symbol.dispose]()
  for (let turn = 0; turn < CORES + 2; turn++) {
    using _place = passwords.enter()
  }
  const again = Array.from({ length: CORES + 1 }, () => passwords.enter())
  t.equal(again.length, CORES + 1, 'every place came back')
})

t.test('never more run than there are cores', async (t) => {
  let finished = 0
  const passwords = new Passwords({ ...CONFIG, max_queue: 100 }, { hashed: () => finished++ })
  const work = Array.from({ length: CORES * 5 }, (_, index) =>
    index % 2 ? passwords.hash('correct horse') : passwords.verify(undefined, 'anything'),
  )
  // A caller that neither waits nor is done is running.
  const check = () => work.length - passwords.queueLength - finished
  await passwords.prepare()
  const seen = [check()]
  for (const each of work) {
    await each
    seen.push(check())
  }
  t.ok(
    seen.every((running) => running <= CORES),
    `${seen} of at most ${CORES}`,
  )
})

t.test(
  'a stored hash that is malformed or too expensive costs what any other does, and is never right',
  async (t) => {
    const seen: string[] = []
    const passwords = new Passwords(CONFIG, { hashed: (operation) => seen.push(operation) })
    const hash = await passwords.hash('correct horse')
    const stored = ['no hash', hash.replace('m=19456', 'm=4194304'), hash.replace('t=2', 't=4294967295')]
    for (const each of stored) {
      t.equal(passwords.isUsable(each), false)
      t.equal(await passwords.verify(each, 'correct horse'), false)
      t.equal(await passwords.verify(each, 'no account has this password'), false, 'not even the decoy')
    }
    t.same(seen, ['hash', ...Array.from({ length: 6 }, () => 'verify')])
  },
)

t.test('work that fails frees its place', async (t) => {
  const passwords = new Passwords({ ...CONFIG, max_queue: 0 }, IGNORE)
  const broken: string = JSON.parse('null')
  for (let count = 0; count < CORES * 2; count++) await t.rejects(passwords.hash(broken))
  t.type(await passwords.hash('correct horse'), 'string')
})

/** Returns an error instead of throwing it, at once or later. */
async function attempt(work: () => Promise<string>): Promise<unknown> {
  try {
    return await work()
  } catch (error) {
    return error
  }
}
