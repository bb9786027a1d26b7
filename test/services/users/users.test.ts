import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { EmailTaken, Forbidden, UserNotFound } from '#services/users/errors.ts'
import * as operators from '#services/users/operators.ts'
import * as userRecords from '#services/users/records.ts'
import * as users from '#services/users/users.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

const PASSWORD = 'correct horse'

t.test('users without HTTP', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t)
  const { ctx } = app
  t.beforeEach(() => db.query('DELETE FROM users'))

  t.test('create sets the given role', async (t) => {
    const user = await operators.create(ctx, { email: 'a@example.com', username: 'ada', password: PASSWORD })
    t.equal(user.role, 'user')
    t.notHas(user, 'password_hash')
    const admin = await operators.create(
      ctx,
      { email: 'b@example.com', username: 'bob', password: PASSWORD },
      'admin',
    )
    t.equal(admin.role, 'admin')
    await t.rejects(
      operators.create(ctx, { email: 'A@example.com', username: 'other', password: PASSWORD }),
      EmailTaken,
    )
  })

  t.test('promote makes an admin of the user with this email', async (t) => {
    const { user } = await signUp({ email: 'Ada@Example.com' })
    t.match(await operators.promote(ctx, 'aDA@example.com'), { id: user.id, role: 'admin' })
    t.match(await userRecords.find(ctx, user.id), { role: 'admin' })
    t.match(await operators.promote(ctx, 'ada@example.com'), { role: 'admin' }, 'repeating it does no harm')
    await t.rejects(operators.promote(ctx, 'nobody@example.com'), UserNotFound)
  })

  t.test('find returns undefined, get throws', async (t) => {
    const { user } = await signUp({ role: 'admin' })
    const id = uuidv7()
    t.equal(await userRecords.find(ctx, id), undefined)
    await t.rejects(users.get(ctx, user, id), UserNotFound)
    await t.rejects(users.get(ctx, { id: uuidv7(), role: 'user' }, user.id), Forbidden)
    t.same(await users.get(ctx, { id: user.id, role: 'user' }, user.id), user)
  })

  t.test('only credentials hold the hash', async (t) => {
    const { user } = await signUp()
    const credentials = await userRecords.findCredentials(ctx, user.email.toUpperCase())
    const { password_hash, email_verified_at, ...rest } = credentials ?? {}
    t.match(password_hash, /^\$argon2id\$/)
    t.match(email_verified_at, /Z$/, 'an operator has made it, so the address counts as confirmed')
    t.same(rest, user)
    t.equal(await userRecords.findCredentials(ctx, 'nobody@example.com'), undefined)
  })

  t.test('a hash is replaced unless it was replaced meanwhile', async (t) => {
    const { user } = await signUp()
    const hash = async () => (await userRecords.findCredentials(ctx, user.email))?.password_hash
    const old = String(await hash())
    await userRecords.replacePasswordHash(ctx, user.id, old, '$argon2id$first')
    await userRecords.replacePasswordHash(ctx, user.id, old, '$argon2id$second')
    t.equal(await hash(), '$argon2id$first')
  })

  t.test('a version is newer than the one before, even within a millisecond', async (t) => {
    const { user } = await signUp()
    let last = user.updated_at
    for (let count = 0; count < 20; count++) {
      const { updated_at } = await users.update(ctx, user, user.id, { username: `name-${count}` }, undefined)
      t.ok(updated_at > last)
      last = updated_at
    }
  })

  t.test('what breaks another constraint is an error of ours, not of the user', async (t) => {
    const { user } = await signUp()
    const update = users.update(ctx, user, user.id, { username: '-' }, undefined)
    await t.rejects(update, { code: '23514', constraint: 'users_username_format' })
  })
})

t.test('a hash is replaced only while it is the one that was checked, and says so', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t)
  const { user } = await signUp()
  const current = async () => {
    const [row] = await db.query<{ password_hash: string }>('SELECT password_hash FROM users')
    return row?.password_hash ?? ''
  }
  const before = await current()
  const [next, other] = [await app.ctx.passwords.hash('next'), await app.ctx.passwords.hash('other')]
  t.equal(await userRecords.replacePasswordHash(app.ctx, user.id, before, next), true)
  t.equal(await userRecords.replacePasswordHash(app.ctx, user.id, before, other), false)
  t.equal(await current(), next)
})
