import t from 'tap'
import { Unauthenticated } from '#services/authentication/errors.ts'
import * as impersonations from '#services/sessions/impersonations.ts'
import { endImpersonationsOf } from '#services/sessions/queries-of-impersonations.ts'
import * as sessionRecords from '#services/sessions/records.ts'
import { Forbidden } from '#services/users/errors.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

// Before them stand checks of the routes, so that the answer alone does not show whether these are there.

t.test('only admins see who acts in the place of others, and end it', async (t) => {
  const { app, signUp, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const { user, session_id } = await signUp()
  await t.rejects(impersonations.list(app.ctx, user, { limit: 1 }), Forbidden)
  await t.rejects(impersonations.get(app.ctx, user, session_id), Forbidden)
  await t.rejects(impersonations.stop(app.ctx, user, session_id, 'why'), Forbidden)
  t.match(await db.query('SELECT ended_at FROM sessions WHERE id = $1', [session_id]), [{ ended_at: null }])
})

t.test('a session that has ended meanwhile is nobody any more', async (t) => {
  const { app, signUp, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const { session_id } = await signUp()
  t.match(await impersonations.current(app.ctx, session_id), { id: session_id, impersonator: null })
  await db.query('UPDATE sessions SET ended_at = now() WHERE id = $1', [session_id])
  await t.rejects(impersonations.current(app.ctx, session_id), Unauthenticated)
})

t.test('what admins do in the place of a user ends without the own sessions of the user', async (t) => {
  const { app, signUp, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const [user, other, admin] = [await signUp(), await signUp(), await signUp({ role: 'admin' })]
  const terms = { impersonator: admin.user.id, reason: 'a test', lifetimeMs: 60_000 }
  const acted = await sessionRecords.impersonate(app.ctx, user.user, terms)
  await sessionRecords.impersonate(app.ctx, other.user, terms)
  t.strictSame(await endImpersonationsOf(app.db, user.user.id), [acted.sessionId])
  t.strictSame(await db.query('SELECT id FROM sessions WHERE ended_at IS NOT NULL'), [
    { id: acted.sessionId },
  ])
  t.strictSame(await endImpersonationsOf(app.db, user.user.id), [], 'they have ended')
})
