import { availableParallelism } from 'node:os'
import t from 'tap'
import { deriveToken } from '#lib/secrets/secrets.ts'
import { update } from '#services/account/account.ts'
import { WrongPassword } from '#services/account/errors.ts'
import { assertStillPassword, confirmPassword } from '#services/account/password.ts'
import { login } from '#services/authentication/authentication.ts'
import { InvalidCredentials } from '#services/authentication/errors.ts'
import { InvalidOneTimeToken } from '#services/one-time-tokens/errors.ts'
import { issue } from '#services/one-time-tokens/one-time-tokens.ts'
import { PasswordQueueFull } from '#services/passwords/errors.ts'
import { reset } from '#services/recovery/recovery.ts'
import { Forbidden } from '#services/users/errors.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import type { TestUser } from '#test/support/helper.ts'

// Checks behind which a second one stands, so that the answer alone does not show whether they are there.

t.test("a password is confirmed by one's own hash only", async (t) => {
  const { app, signUp } = await borrowTestApp(t)
  const [ada, bob] = [await signUp(), await signUp({ password: 'quite another passphrase' })]
  // What is kept of Ada may be old: by now her address is Bob's.
  const sessionId = ada.session_id
  const stale = { ...ada.user, email: bob.user.email }
  const asked = confirmPassword(app.ctx, { user: stale, sessionId }, bob.password)
  await t.rejects(asked, WrongPassword)
  const confirmed = await confirmPassword(app.ctx, { user: ada.user, sessionId }, ada.password)
  await assertStillPassword(app.ctx, ada.user, confirmed)
  await t.rejects(assertStillPassword(app.ctx, bob.user, confirmed), WrongPassword)
})

t.test('a right password is what wrong ones of its session are forgotten for', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t)
  const ada = await signUp()
  const counted = () => db.query("SELECT failures FROM login_attempts WHERE subject LIKE 'session:%'")
  await t.rejects(confirmPassword(app.ctx, signedIn(ada), 'wrong'), WrongPassword)
  t.strictSame(await counted(), [{ failures: 1 }])
  await confirmPassword(app.ctx, signedIn(ada), ada.password)
  t.strictSame(await counted(), [])
})

t.test('what one may not change is refused before the password is asked for', async (t) => {
  const { app, signUp } = await borrowTestApp(t)
  const ada = await signUp()
  const changes = { role: 'admin', email: 'new@example.com' } as const
  await t.rejects(update(app.ctx, signedIn(ada), ada.user.id, changes, undefined), Forbidden)
})

t.test('an address that an admin sets leaves the links to the old one worth nothing', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const [ada, bob] = [await signUp(), await signUp({ role: 'admin' })]
  const left = () => db.query('SELECT FROM one_time_tokens WHERE user_id = $1', [ada.user.id])
  await issue(app.ctx, { userId: ada.user.id, purpose: 'reset_password' })
  await update(app.ctx, signedIn(bob), ada.user.id, { username: 'ada' }, undefined)
  t.equal((await left()).length, 1)
  await update(app.ctx, signedIn(bob), ada.user.id, { email: 'new@example.com' }, undefined)
  t.strictSame(await left(), [])
})

t.test('an inactive account is refused before anything is done for it', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t)
  const { user, password } = await signUp()
  const { id } = await issue(app.ctx, { userId: user.id, purpose: 'reset_password' })
  const token = deriveToken(app.ctx.oneTimeTokens.key, id)
  await db.query('UPDATE users SET is_active = false WHERE id = $1', [user.id])

  t.test('its link, before the new password is looked at', async (t) => {
    await t.rejects(reset(app.ctx, token, 'password'), InvalidOneTimeToken)
  })

  t.test('its right password, which counts as a wrong one', async (t) => {
    await t.rejects(login(app.ctx, { email: user.email, password }), InvalidCredentials)
    const counted = await db.query("SELECT failures FROM login_attempts WHERE subject LIKE 'account:%'")
    t.strictSame(counted, [{ failures: 1 }])
  })
})

t.test('an address that was never confirmed counts as a wrong password', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_AUTH__REGISTRATION: 'verify' })
  const { user, password } = await signUp()
  await db.query('UPDATE users SET email_verified_at = NULL')
  await t.rejects(login(app.ctx, { email: user.email, password }), InvalidCredentials)
  t.match(await db.query("SELECT failures FROM login_attempts WHERE subject LIKE 'account:%'"), [
    { failures: 1 },
  ])
})

t.test('a login that finds no place in the queue is not counted, not even for a moment', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_AUTH__ARGON2__MAX_QUEUE: '1' })
  const { user, password } = await signUp()
  const places = Array.from({ length: availableParallelism() + 1 }, () => app.ctx.passwords.enter())
  await t.rejects(login(app.ctx, { email: user.email, password }), PasswordQueueFull)
  t.strictSame(await db.query('SELECT FROM login_attempts'), [])
  for (const place of places) place[Symbol.dispose]()
  t.match(await login(app.ctx, { email: user.email, password }), { user: { id: user.id } })
})

t.test('an admin whom anybody deactivates has to sign in again', async (t) => {
  for (const who of ['oneself', 'another'] as const) {
    await t.test(who, async (t) => {
      const { app, db, request, signUp } = await borrowTestApp(t)
      const [ada, bob] = [await signUp({ role: 'admin' }), await signUp({ role: 'admin' })]
      await issue(app.ctx, { userId: ada.user.id, purpose: 'reset_password' })
      const actor = who === 'oneself' ? ada : bob
      await update(app.ctx, signedIn(actor), ada.user.id, { is_active: false }, undefined)
      await update(app.ctx, signedIn(bob), ada.user.id, { is_active: true }, undefined)
      t.equal((await request({ url: '/api/v1/users/me', as: ada })).statusCode, 401)
      const payload = { refresh_token: ada.refresh_token }
      t.equal((await request({ method: 'POST', url: '/api/v1/auth/refresh', payload })).statusCode, 401)
      t.strictSame(await db.query('SELECT FROM one_time_tokens'), [])
    })
  }
})

function signedIn({ user, session_id: sessionId }: TestUser) {
  return { user, sessionId }
}
