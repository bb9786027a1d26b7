// Among the first, because it takes long.

import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { deriveToken, digestToken } from '#lib/secrets/secrets.ts'
import { mailEmailChange } from '#services/account/mails.ts'
import { tellInvitedJob } from '#services/invitations/jobs.ts'
import { issue, newToken, type Purpose } from '#services/one-time-tokens/one-time-tokens.ts'
import { mailReset } from '#services/recovery/mails.ts'
import { mailVerification } from '#services/registration/mails.ts'
import * as sessionRecords from '#services/sessions/records.ts'
import { promote } from '#services/users/operators.ts'
import { borrowTestApp, deleteAllRows } from '#test/support/borrow.ts'
import type { TestApp, TestUser } from '#test/support/helper.ts'
import { isWanted } from '#test/support/only.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { ORGANIZATION_OPERATIONS, type Prepare } from './commits.ts'
import { FILE_OPERATIONS } from './commits-of-files.ts'
import { OPERATOR_OPERATIONS } from './commits-of-operators.ts'
import { SILENT, takeEmitted } from './emitted.ts'
import { contents, JOB, setTraps, TABLES } from './traps.ts'

const PASSWORD = 'another good long passphrase'
const RUN = { id: uuidv7(), attempt: 1, signal: new AbortController().signal }

const OPERATIONS: Readonly<Record<string, Prepare>> = {
  createUser: async ({ request }) => {
    const payload = { ...newNames(), password: PASSWORD }
    const headers = { 'idempotency-key': uuidv7() }
    return () => request({ method: 'POST', url: '/api/v1/users', payload, headers })
  },
  inviteUser: async ({ request, signUp }) => {
    const as = await signUp({ role: 'admin' })
    const headers = { 'idempotency-key': uuidv7() }
    const payload = newNames()
    return () => request({ method: 'POST', url: '/api/v1/users/invitations', as, payload, headers })
  },
  'login from a new device': async ({ request, signUp }) => {
    const { user, password } = await signUp()
    const payload = { email: user.email, password }
    const headers = { 'user-agent': `device ${uuidv7()}` }
    return () => request({ method: 'POST', url: '/api/v1/auth/login', payload, headers })
  },
  refreshTokens: async ({ request, signUp }) => {
    const { refresh_token } = await signUp()
    return () => request({ method: 'POST', url: '/api/v1/auth/refresh', payload: { refresh_token } })
  },
  reauthenticate: async ({ request, signUp }) => {
    const as = await signUp()
    const payload = { password: as.password }
    return () => request({ method: 'POST', url: '/api/v1/auth/reauthenticate', as, payload })
  },
  logout: async ({ request, signUp }) => {
    const as = await signUp()
    return () => request({ method: 'POST', url: '/api/v1/auth/logout', as })
  },
  endSession: async ({ request, signUp }) => {
    const as = await signUp()
    return () => request({ method: 'DELETE', url: `/api/v1/auth/sessions/${as.session_id}`, as })
  },
  endOtherSessions: async ({ app, request, signUp }) => {
    const as = await signUp()
    await sessionRecords.open(app.ctx, as.user)
    return () => request({ method: 'DELETE', url: '/api/v1/auth/sessions', as })
  },
  endUserSession: async ({ request, signUp }) => {
    const [as, { user, session_id }] = [await signUp({ role: 'admin' }), await signUp()]
    return () => request({ method: 'DELETE', url: `/api/v1/users/${user.id}/sessions/${session_id}`, as })
  },
  endUserSessions: async ({ request, signUp }) => {
    const [as, { user }] = [await signUp({ role: 'admin' }), await signUp()]
    return () => request({ method: 'DELETE', url: `/api/v1/users/${user.id}/sessions`, as })
  },
  changePassword: async ({ app, request, signUp }) => {
    const as = await signUp()
    await mailedToken(app, as, 'verify_email')
    const payload = { current_password: as.password, new_password: PASSWORD }
    return () => request({ method: 'PUT', url: '/api/v1/users/me/password', as, payload })
  },
  resetPassword: async ({ app, request, signUp }) => {
    const token = await mailedToken(app, await signUp(), 'reset_password')
    const payload = { token, password: PASSWORD }
    return () => request({ method: 'POST', url: '/api/v1/auth/password/reset', payload })
  },
  updateCurrentUser: async ({ request, signUp }) => {
    const as = await signUp()
    const payload = { ...newNames(), current_password: as.password }
    return () => request({ method: 'PATCH', url: '/api/v1/users/me', as, payload })
  },
  'updateUser: another address': async ({ app, request, signUp }) => {
    const [as, other] = [await signUp({ role: 'admin' }), await signUp()]
    await mailedToken(app, other, 'reset_password')
    return () => request({ method: 'PATCH', url: `/api/v1/users/${other.user.id}`, as, payload: newNames() })
  },
  'updateUser: deactivated': async ({ app, request, signUp }) => {
    const [as, other] = [await signUp({ role: 'admin' }), await signUp()]
    await mailedToken(app, other, 'reset_password')
    const payload = { is_active: false }
    return () => request({ method: 'PATCH', url: `/api/v1/users/${other.user.id}`, as, payload })
  },
  deleteUser: async ({ request, signUp }) => {
    const [as, { user }] = [await signUp({ role: 'admin' }), await signUp()]
    return () => request({ method: 'DELETE', url: `/api/v1/users/${user.id}`, as })
  },
  deleteCurrentUser: async ({ request, signUp }) => {
    const as = await signUp()
    return () => request({ method: 'DELETE', url: '/api/v1/users/me', as })
  },
  'verifyEmail: of an account': async ({ app, request, signUp }) => {
    const owner = await signUp()
    const payload = { token: await mailedToken(app, owner, 'verify_email') }
    return () => request({ method: 'POST', url: '/api/v1/auth/email/verify', payload })
  },
  'verifyEmail: a new address': async ({ app, request, signUp }) => {
    const payload = { token: await mailedToken(app, await signUp(), 'change_email') }
    return () => request({ method: 'POST', url: '/api/v1/auth/email/verify', payload })
  },
  'verifyEmail: of a registration': async (app) => {
    const payload = { token: await registrationToken(app) }
    return () => app.request({ method: 'POST', url: '/api/v1/auth/email/verify', payload })
  },
  ...ORGANIZATION_OPERATIONS,
  ...FILE_OPERATIONS,
  ...OPERATOR_OPERATIONS,
  'the command that makes an admin': async ({ app, signUp }) => {
    const { user } = await signUp()
    return () => promote(app.ctx, user.email).then(() => undefined)
  },
  'telling an invited account': async ({ app, signUp }) => {
    const { user } = await signUp()
    const { organization } = await createOrganization(app)
    const news = { org: organization.id, id: uuidv7(), email: user.email, role: 'member' } as const
    return () => tellInvitedJob.handler(app.ctx, news, { ...RUN, ...JOB }).then(() => undefined)
  },
  'the mail of a lost password': async ({ app, signUp }) => {
    const { user } = await signUp()
    return () => mailReset(app.ctx, user.email, JOB).then(() => undefined)
  },
  'the mail of another address': async ({ app, signUp }) => {
    const { user } = await signUp()
    const newEmail = newNames().email
    const token = await issue(app.ctx, { userId: user.id, purpose: 'change_email', newEmail })
    return () => mailEmailChange(app.ctx, token, JOB).then(() => undefined)
  },
  'the mail of another link': async ({ app, db, signUp }) => {
    const { user } = await signUp()
    await db.query('UPDATE users SET email_verified_at = NULL WHERE id = $1', [user.id])
    return () => mailVerification(app.ctx, user.email, JOB).then(() => undefined)
  },
  'the mail of another link to a registration': async (app) => {
    const email = newNames().email
    await registrationToken(app, email)
    return async () => mailVerification(app.app.ctx, email, JOB).then(() => undefined)
  },
}

/** Operations of one effect, or of none in the database. */
const EXCEPTIONS = [
  ...['forgotPassword', 'resendVerification', 'inspectInvitation', 'previewJobAction'],
  // One's own; that of an organization emits an event.
  'createFileLink',
  // They need a store that takes bytes from clients: uploads/direct.test.ts. Of those of tus, the same statements are here.
  ...['createDirectUpload', 'signUploadParts', 'completeUpload'],
  ...['createDirectOrganizationUpload', 'signOrganizationUploadParts', 'completeOrganizationUpload'],
]

t.test('a commit that fails leaves nothing of an operation: no row, no event, no mail, no job', async (t) => {
  for (const registration of ['open', 'verify'] as const) {
    const app = await borrowTestApp(t, {
      APP_ROLE: 'web',
      APP_AUTH__REGISTRATION: registration,
      // What leads to things that were created begins with its path.
      APP_SERVER__PUBLIC_URL: 'http://localhost:8080/prefix',
    })
    await setTraps(app.db)
    for (const [name, prepare] of Object.entries(OPERATIONS)) {
      if (registration === 'open' && name !== 'createUser') continue
      if (!isWanted(idOf(name))) continue
      const isSilent = Object.hasOwn(SILENT, name) || Object.hasOwn(SILENT, `${name} (${registration})`)
      await t.test(`${name} (${registration})`, (t) => examine(t, app, { prepare, isSilent }))
    }
  }
})

t.test('every operation that changes something is here', async (t) => {
  const { app } = await borrowTestApp(t)
  const named = [...Object.keys(OPERATIONS), ...EXCEPTIONS].map(idOf)
  for (const methods of Object.values(app.swagger().paths ?? {})) {
    for (const [method, operation] of Object.entries(methods ?? {})) {
      if (method === 'get' || !hasId(operation)) continue
      t.ok(named.includes(operation.operationId), operation.operationId)
    }
  }
})

const idOf = (name: string) => name.split(/[: ]/, 1)[0] ?? name

/** First it succeeds, to see what it changes; then the commit of each of these tables fails. */
async function examine(
  t: Test,
  app: TestApp,
  { prepare, isSilent }: { prepare: Prepare; isSilent: boolean },
): Promise<void> {
  const { db } = app
  // Otherwise each look at all rows would cost more than the one before.
  await deleteAllRows(db)
  const run = await prepare(app)
  await takeEmitted(db)
  const before = await contents(db)
  const response = await run()
  t.ok(response === undefined || response.statusCode < 300, `it works: ${response?.body}`)
  const after = await contents(db)
  const changed = TABLES.filter((table) => before[table] !== after[table])
  t.not(changed.length, 0, 'it changes something')
  const { events, problems } = await takeEmitted(db)
  t.equal(events === 0, isSilent, 'it emits an event')
  t.strictSame(problems, [])

  for (const table of changed) {
    const again = await prepare(app)
    const untouched = await contents(db)
    await db.query('INSERT INTO traps VALUES ($1)', [table])
    const failed = await again().catch((error: unknown) => error)
    await db.query('DELETE FROM traps')
    const isFailure = failed instanceof Error || (isResponse(failed) && failed.statusCode >= 500)
    t.ok(isFailure, `${table}: it fails`)
    t.strictSame(await contents(db), untouched, `${table}: nothing has changed`)
  }
}

function hasId(value: unknown): value is { operationId: string } {
  return typeof value === 'object' && value !== null && 'operationId' in value
}

function isResponse(value: unknown): value is LightMyRequestResponse {
  return typeof value === 'object' && value !== null && 'statusCode' in value
}

function newNames(): { email: string; username: string } {
  const unique = uuidv7().slice(-12)
  return { email: `${unique}@example.com`, username: unique }
}

async function mailedToken(app: TestApp['app'], { user }: TestUser, purpose: Purpose): Promise<string> {
  const changed = purpose === 'change_email' ? { newEmail: newNames().email } : {}
  const { id } = await issue(app.ctx, { userId: user.id, purpose, ...changed })
  return deriveToken(app.ctx.oneTimeTokens.key, id)
}

async function registrationToken({ app, db }: TestApp, email = newNames().email): Promise<string> {
  const { id, expires_at } = newToken(app.ctx, 'verify_email')
  const token = deriveToken(app.ctx.oneTimeTokens.key, id)
  await db.query(
    `INSERT INTO registrations (id, digest, email, username, password_hash, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [id, digestToken(token), email, newNames().username, await app.ctx.passwords.hash(PASSWORD), expires_at],
  )
  return token
}
