import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import * as queries from '#services/registration/queries.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

t.test('of the registrations of an address, the newest that has not expired is renewed', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const soon = new Date(Date.now() + 3_600_000)
  const insert = async (username: string, email: string, age: number, expires_at = soon) => {
    const id = uuidv7()
    const row = { id, digest: Buffer.from(username), email, username, password_hash: 'x', expires_at }
    await queries.insertRegistration(app.db, row)
    await db.query("UPDATE registrations SET created_at = now() - $2 * interval '1 second' WHERE id = $1", [
      id,
      age,
    ])
    return id
  }
  await insert('older', 'ada@example.com', 30)
  const newest = await insert('newest', 'Ada@example.com', 20)
  const expired = await insert('expired', 'ada@example.com', 10, new Date(Date.now() - 1000))
  await insert('other', 'grace@example.com', 0)
  const others = () => db.query("SELECT * FROM registrations WHERE username <> 'newest' ORDER BY id")
  const before = await others()

  const next = { id: uuidv7(), digest: Buffer.from('next'), expires_at: soon }
  t.match(await queries.renewRegistration(app.db, 'ADA@example.com', next), {
    id: next.id,
    username: 'newest',
  })
  t.strictSame(await others(), before)
  t.equal(await queries.selectRegistration(app.db, newest), undefined)
  t.match(await queries.selectRegistration(app.db, next.id), { username: 'newest' })
  t.equal(await queries.selectRegistration(app.db, expired), undefined)
  for (const [digest, username] of [
    ['newest', undefined],
    ['expired', undefined],
    ['next', 'newest'],
    ['next', undefined],
  ] as const)
    t.equal((await queries.deleteRegistration(app.db, Buffer.from(digest)))?.username, username, digest)
  t.strictSame(await others(), before)
  await queries.deleteRegistrationsOf(app.db, 'ADA@example.com')
  t.match(await others(), [{ username: 'other' }])
})
