import { createSecretKey } from 'node:crypto'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import type { User } from '#schemas/users.ts'
import { Identities, type Identity, type OwnerReader } from '#services/sessions/identity/identities.ts'
import type { SessionOwner } from '#services/sessions/records.ts'
import { eventually } from '#test/support/eventually.ts'

const now = () => new Date().toISOString()
const options = { isTrusted: () => true, answered: () => undefined, now: () => Date.now() }

function someone(): User {
  const created_at = now()
  const id = uuidv7()
  return {
    id,
    email: 'a@b.cd',
    username: 'abc',
    role: 'user',
    is_active: true,
    created_at,
    updated_at: created_at,
  }
}

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()

/** The database's answer about an open session. */
function owned(user: User, expires_at = inAnHour()): SessionOwner {
  const proof = { authenticated_at: now(), methods: ['pwd'] }
  return { user, expires_at, read_at: now(), ...proof, impersonator_id: null }
}

/** Whose session it is, if that is known. */
const userOf = (identity: Identity | undefined) => identity?.user

/** Answers are given when the test says so. */
function heldReader() {
  const answers: ((owner: Awaited<ReturnType<OwnerReader>>) => void)[] = []
  const read: OwnerReader = () => new Promise((resolve) => answers.push(resolve))
  return { read, answer: (owner: Awaited<ReturnType<OwnerReader>>) => answers.shift()?.(owner) }
}

t.test('what was read is kept until it is forgotten', async (t) => {
  const user = someone()
  const identities = new Identities({
    ...options,
    read: async () => owned(user),
  })
  t.equal(identities.peek('s1'), undefined)
  for (const session of ['s1', 's2', 's3']) t.equal(userOf(await identities.load(session)), user)
  for (const session of ['s1', 's2', 's3']) t.equal(userOf(identities.peek(session)), user)
  identities.forgetSession('s1')
  t.equal(identities.peek('s1'), undefined)
  t.equal(userOf(identities.peek('s2')), user)
  identities.forgetUser(user.id)
  t.equal(identities.peek('s2'), undefined)
  t.equal(identities.peek('s3'), undefined)
  await identities.load('s1')
  identities.forgetAll()
  t.equal(identities.peek('s1'), undefined)
  identities.forgetUser(user.id)
  identities.forgetUser('nobody')
  identities.forgetSession('none')
})

t.test('a user who was read twice for a session is still forgotten by name', async (t) => {
  const id = uuidv7()
  const identities = new Identities({
    ...options,
    read: async () => owned({ ...someone(), id }),
  })
  await Promise.all([identities.load('s1'), identities.load('s1')])
  await identities.load('s1')
  t.ok(identities.peek('s1'))
  identities.forgetUser(id)
  t.equal(identities.peek('s1'), undefined)
})

const FORGET: Record<string, (identities: Identities, user: User) => void> = {
  session: (identities) => identities.forgetSession('s1'),
  user: (identities, { id }) => identities.forgetUser(id),
  all: (identities) => identities.forgetAll(),
}

for (const [name, forget] of Object.entries(FORGET)) {
  t.test(`an answer that was under way when something changed is not kept (${name})`, async (t) => {
    const user = someone()
    const { read, answer } = heldReader()
    const identities = new Identities({ ...options, read })
    const loading = identities.load('s1')
    forget(identities, user)
    answer(owned(user))
    t.equal(userOf(await loading), user, 'it is as true as any answer for who asked')
    t.equal(identities.peek('s1'), undefined)
  })
}

t.test('nothing is kept or used while the channel is not trusted', async (t) => {
  const user = someone()
  let trusted = false
  const identities = new Identities({
    ...options,
    isTrusted: () => trusted,
    read: async () => owned(user),
  })
  t.equal(userOf(await identities.load('s1')), user)
  trusted = true
  t.equal(identities.peek('s1'), undefined)
  await identities.load('s1')
  t.equal(userOf(identities.peek('s1')), user)
  trusted = false
  t.equal(identities.peek('s1'), undefined)
})

t.test('nobody is kept beyond the end of the session', async (t) => {
  const user = someone()
  const ends = [new Date(Date.now() - 1000).toISOString(), inAnHour()]
  const identities = new Identities({
    ...options,
    read: async () => {
      const expiresAt = ends.shift()
      return expiresAt === undefined ? undefined : owned(user, expiresAt)
    },
  })
  t.equal(userOf(await identities.load('over')), user)
  t.equal(identities.peek('over'), undefined)
  t.equal(userOf(await identities.load('s1')), user)
  t.equal(userOf(identities.peek('s1')), user)
  t.equal(await identities.load('nobody'), undefined)
  t.equal(identities.peek('nobody'), undefined)
})

t.test('instances keep owners for each other, for a minute at most and signed', async (t) => {
  const elapsed = performance.now.bind(performance)
  let ahead = 0
  t.intercept(performance, 'now', { value: () => elapsed() + ahead })
  const kept = new Map<string, string>()
  const lives: number[] = []
  const store = {
    get: async (key: string) => kept.get(key),
    set: async (key: string, value: string, { px }: { px: number }) => {
      lives.push(px)
      kept.set(key, value)
    },
  }
  const user = someone()
  const instance = (read: OwnerReader, secret = 'a key of the instances') =>
    new Identities({
      ...options,
      now: () => Date.now() + ahead,
      read,
      shared: { store, key: createSecretKey(Buffer.from(secret)) },
    })
  const nobody: OwnerReader = async () => undefined
  const second = instance(nobody)
  const stranger = instance(nobody, 'a key of somebody else')
  // They believe others once they have been told of all changes for as long as anything is kept.
  for (const each of [second, stranger]) each.forgetAll()
  ahead += 60_000
  // Read just now, by the clock that is ahead.
  const later = new Date(Date.now() + ahead).toISOString()
  const reading = instance(async () => ({
    ...owned(user, new Date(Date.now() + 7_200_000).toISOString()),
    read_at: later,
  }))
  await reading.load('s1')
  t.match([...kept.keys()], [/^identity:\d+:s1$/])
  t.ok(lives.every((px) => px >= 54_000 && px <= 60_000))
  t.equal(userOf(await second.load('s1'))?.id, user.id)
  t.equal(await stranger.load('s1'), undefined)
  await reading.load('s2')
  second.forgetSession('s2')
  t.equal(await second.load('s2'), undefined, 'nor is that of a session that has changed')
  second.forgetUser(user.id)
  t.equal(await second.load('s1'), undefined, 'what is older than a change is not believed')
})

t.test('an owner is read again after a minute, whatever was not heard', async (t) => {
  const elapsed = performance.now.bind(performance)
  let ahead = 0
  t.intercept(performance, 'now', { value: () => elapsed() + ahead })
  const user = someone()
  const identities = new Identities({ ...options, read: async () => owned(user) })
  await identities.load('s1')
  t.equal(userOf(identities.peek('s1')), user)
  ahead = 60_000
  // What the time is, the library asks once in a turn of the timers.
  await eventually(async () => identities.peek('s1') === undefined)
})

t.test('an error is not kept', async (t) => {
  const identities = new Identities({ ...options, read: () => Promise.reject(new Error('no answer')) })
  await t.rejects(identities.load('s1'), { message: 'no answer' })
  t.equal(identities.peek('s1'), undefined)
})

t.test('the age of a proof goes by the database, whose clock may differ from ours', async (t) => {
  let trusted = true
  const hours = 3_600_000
  const identities = new Identities({
    ...options,
    isTrusted: () => trusted,
    now: () => Date.parse('2026-01-31T12:00:00.000Z'),
    read: async () => ({
      ...owned(someone(), '2026-01-31T13:00:00.000Z'),
      authenticated_at: '2026-01-31T08:00:00.000Z',
      read_at: '2026-01-31T11:00:00.000Z',
    }),
  })
  const identity = await identities.load('s1')
  if (identity === undefined) throw new TypeError('nobody was found')
  t.equal(identities.ageOf(identity), 4 * hours)
  trusted = false
  t.equal(identities.ageOf(identity), 3 * hours, 'without the channel it counts when it was read')
})
