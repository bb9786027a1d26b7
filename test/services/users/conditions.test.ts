import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { UserNotFound } from '#services/users/errors.ts'
import * as operators from '#services/users/operators.ts'
import * as queries from '#services/users/queries.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

const HASH = '$argon2id$hash'
const NEW = '$argon2id$new'

t.test('which people a statement changes', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const create = async (username: string, password_hash: string | null = HASH, verified = false) => {
    const email = `${username}@example.com`
    const user = { id: uuidv7(), email, username, password_hash, role: 'user', verified } as const
    await queries.insertUser(app.db, user)
    return user
  }
  const verified = async () => {
    const rows = await db.query<{ username: string }>(
      'SELECT username FROM users WHERE email_verified_at IS NOT NULL ORDER BY username',
    )
    return rows.map(({ username }) => username)
  }
  const before = new Date('2026-01-01T00:00:00Z')

  await t.test(
    'addresses from before a time are confirmed, except of those who are only invited',
    async (t) => {
      await create('invited', null)
      await create('older')
      await create('known', HASH, true)
      await db.query('UPDATE users SET created_at = $1', [new Date(before.getTime() - 1)])
      await db.query("UPDATE users SET email_verified_at = '2025-01-01' WHERE username = 'known'")
      const newer = await create('newer')
      await db.query('UPDATE users SET created_at = $1 WHERE id = $2', [before, newer.id])
      t.equal(await operators.verify(app.ctx, { before }), 1)
      t.strictSame(await verified(), ['known', 'older'])
      t.equal(await operators.verify(app.ctx, { before }), 0)
      const [known] = await db.query<{ at: Date }>(
        "SELECT email_verified_at AS at FROM users WHERE username = 'known'",
      )
      t.ok(known && known.at.getTime() < before.getTime(), 'the time of one that was confirmed stays')
    },
  )

  await t.test('one address is confirmed, and says whether it was', async (t) => {
    t.equal(await operators.verify(app.ctx, { email: 'NEWER@example.com' }), 1)
    t.strictSame(await verified(), ['known', 'newer', 'older'])
    const rows = await db.query('SELECT * FROM users ORDER BY id')
    t.equal(await operators.verify(app.ctx, { email: 'newer@example.com' }), 0)
    t.strictSame(await db.query('SELECT * FROM users ORDER BY id'), rows, 'no row is written again')
    await t.rejects(operators.verify(app.ctx, { email: 'nobody@example.com' }), UserNotFound)
  })

  await t.test('only the person who is meant, with the hash or the version that is meant', async (t) => {
    const [one, two] = [await create('one'), await create('two')]
    const others = () => db.query('SELECT * FROM users WHERE id <> $1 ORDER BY id', [one.id])
    const all = () => db.query('SELECT * FROM users ORDER BY id')
    const unchanged = await all()
    const older = [before.toISOString()]
    t.equal(await queries.updatePasswordHash(app.db, one.id, '$argon2id$other', NEW), false)
    t.equal(await queries.updateUser(app.db, one.id, { username: 'renamed' }, older), undefined)
    t.equal(await queries.deleteUser(app.db, one.id, older), false)
    t.strictSame(await all(), unchanged)

    const kept = await others()
    t.equal(await queries.updatePasswordHash(app.db, one.id, HASH, NEW), true)
    t.match(await queries.lockCredentials(app.db, one.id), { password_hash: NEW })
    await queries.setPasswordHash(app.db, one.id, '$argon2id$newest')
    t.match(await queries.lockCredentials(app.db, one.id), { password_hash: '$argon2id$newest' })
    t.match(await queries.updateUser(app.db, one.id, { username: 'renamed' }, undefined), { id: one.id })
    await queries.updateVerified(app.db, one.id)
    t.match(await queries.updateEmail(app.db, one.id, 'one@example.org'), { email: 'one@example.org' })
    t.match(await queries.selectUserById(app.db, two.id), { username: 'two', email: two.email })
    t.equal(await queries.deleteUser(app.db, one.id, undefined), true)
    t.strictSame(await others(), kept)
  })
})
