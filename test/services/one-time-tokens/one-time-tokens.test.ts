import t from 'tap'
import { deriveToken, digestToken } from '#lib/secrets/secrets.ts'
import { InvalidOneTimeToken } from '#services/one-time-tokens/errors.ts'
import {
  consume,
  find,
  inspect,
  issue,
  type Purpose,
  voidAll,
} from '#services/one-time-tokens/one-time-tokens.ts'
import { selectPendingToken } from '#services/one-time-tokens/queries.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

t.test('one-time tokens', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t)
  const { ctx } = app

  /** Issues a token and returns it as the mail would contain it. */
  async function issueToken(userId: string, purpose: Purpose, newEmail?: string): Promise<string> {
    const { id } = await issue(ctx, { userId, purpose, ...(newEmail === undefined ? {} : { newEmail }) })
    return deriveToken(ctx.oneTimeTokens.key, id)
  }

  t.test('only the digest is stored', async (t) => {
    const { user } = await signUp()
    const token = await issueToken(user.id, 'reset_password')
    t.match(token, /^[\w-]{43}$/)
    const [row] = await db.query('SELECT digest, o::text AS text FROM one_time_tokens o WHERE user_id = $1', [
      user.id,
    ])
    t.same(row?.['digest'], digestToken(token))
    t.notOk(row?.['text'].includes(token))
    t.notOk(row?.['text'].includes(Buffer.from(token).toString('hex')))
  })

  t.test(
    'a token is for one purpose of one user, and a new one voids the old of that purpose only',
    async (t) => {
      const [one, two] = [(await signUp()).user, (await signUp()).user]
      const old = await issueToken(one.id, 'reset_password')
      const other = await issueToken(one.id, 'change_email', 'new@example.com')
      const stranger = await issueToken(two.id, 'reset_password')
      const token = await issueToken(one.id, 'reset_password')
      t.equal(await find(ctx, old, ['reset_password']), undefined)
      t.equal(await consume(ctx, token, ['verify_email', 'change_email', 'choose_password']), undefined)
      t.same(await inspect(ctx, token, ['choose_password', 'reset_password']), {
        user_id: one.id,
        purpose: 'reset_password',
        new_email: null,
      })
      t.match(await consume(ctx, token, ['reset_password']), { user_id: one.id })
      await t.rejects(inspect(ctx, token, ['reset_password']), InvalidOneTimeToken)
      t.match(await consume(ctx, other, ['change_email']), { new_email: 'new@example.com' })
      t.match(await consume(ctx, stranger, ['reset_password']), { user_id: two.id })
    },
  )

  t.test('a token waits for its own purpose', async (t) => {
    const { user } = await signUp()
    const { id } = await issue(ctx, { userId: user.id, purpose: 'reset_password' })
    t.equal(await selectPendingToken(app.db, id, 'choose_password'), undefined)
    t.match(await selectPendingToken(app.db, id, 'reset_password'), { user_id: user.id })
  })

  t.test('an expired token is invalid', async (t) => {
    const { user } = await signUp()
    const token = await issueToken(user.id, 'verify_email')
    await db.query('UPDATE one_time_tokens SET expires_at = now()')
    await t.rejects(inspect(ctx, token, ['verify_email']), InvalidOneTimeToken)
    t.equal(await consume(ctx, token, ['verify_email']), undefined)
  })

  t.test('of fifty that use one up at once, one gets it', async (t) => {
    const { user } = await signUp()
    const token = await issueToken(user.id, 'choose_password')
    const rows = await Promise.all(Array.from({ length: 50 }, () => consume(ctx, token, ['choose_password'])))
    t.equal(rows.filter((row) => row !== undefined).length, 1)
  })

  t.test('all of a user can be voided', async (t) => {
    const [one, two] = [(await signUp()).user, (await signUp()).user]
    const tokens = [await issueToken(one.id, 'reset_password'), await issueToken(one.id, 'verify_email')]
    const stranger = await issueToken(two.id, 'reset_password')
    await voidAll(ctx, one.id)
    for (const token of tokens) t.equal(await find(ctx, token, ['reset_password', 'verify_email']), undefined)
    t.ok(await find(ctx, stranger, ['reset_password']))
  })
})
