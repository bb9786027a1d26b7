import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import type { User } from '#schemas/users.ts'
import { Identities, type Identity, type OwnerReader } from '#services/sessions/identity/identities.ts'
import type { SessionOwner } from '#services/sessions/records.ts'

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
  return { user, expires_at, read_at: now(), authenticated_at: now(), methods: ['pwd'] }
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
