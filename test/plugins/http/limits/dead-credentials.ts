import type { Test } from 'tap'
import * as sessionRecords from '#services/sessions/records.ts'
import type { TestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, type TestApp, type TestUser } from '#test/support/helper.ts'

const ME = '/api/v1/users/me'
const PER_USER = 200
const PER_ADDRESS = 15

/** An application with a user of two sessions: one that will die, and one that goes on. */
interface Scene extends TestApp {
  readonly dying: TestUser
  readonly other: TestUser
  readonly admin: TestUser
}

type Death = readonly [name: string, kill: (scene: Scene) => Promise<unknown>, ownerLives: boolean]

/** Every way in which a token that we issued stops being anybody's. */
const DEATHS: readonly Death[] = [
  ['logout', ({ request, dying }) => post(request, '/api/v1/auth/logout', dying), true],
  [
    'ended from another session',
    ({ request, other, dying }) =>
      request({ method: 'DELETE', url: `/api/v1/auth/sessions/${dying.session_id}`, as: other }),
    true,
  ],
  [
    'ended by an admin',
    ({ request, admin, dying }) =>
      request({ method: 'DELETE', url: `/api/v1/users/${dying.user.id}/sessions`, as: admin }),
    false,
  ],
  [
    'the password was changed',
    ({ request, other }) =>
      request({
        method: 'PUT',
        url: '/api/v1/users/me/password',
        as: other,
        payload: { current_password: other.password, new_password: 'another good long passphrase' },
      }),
    true,
  ],
  [
    'a refresh token was used again, late',
    async ({ request, db, dying }) => {
      await post(request, '/api/v1/auth/refresh', undefined, { refresh_token: dying.refresh_token })
      await db.query(`UPDATE refresh_tokens SET replaced_at = now() - interval '1 hour'
                      WHERE replaced_at IS NOT NULL`)
      await post(request, '/api/v1/auth/refresh', undefined, { refresh_token: dying.refresh_token })
    },
    true,
  ],
  [
    'the user was deactivated',
    ({ request, admin, dying }) =>
      request({
        method: 'PATCH',
        url: `/api/v1/users/${dying.user.id}`,
        as: admin,
        payload: { is_active: false },
      }),
    false,
  ],
  [
    'the user was deleted',
    ({ request, admin, dying }) =>
      request({ method: 'DELETE', url: `/api/v1/users/${dying.user.id}`, as: admin }),
    false,
  ],
  [
    'the session expired',
    async ({ app, db, dying }) => {
      await db.query('UPDATE sessions SET idle_expires_at = now() WHERE id = $1', [dying.session_id])
      // What is kept of it ends with it; that is not waited for here.
      app.identities.forgetSession(dying.session_id)
    },
    true,
  ],
]

/** Checks for every death that its token takes from the sender's network, and nothing from the user. */
export async function testDeadCredentials(
  t: Test,
  env: Record<string, string>,
  prepare: (db: TestDatabase) => Promise<unknown> = async () => undefined,
): Promise<void> {
  const app = await createTestApp(t, {
    APP_RATE_LIMIT__ENABLED: 'true',
    APP_RATE_LIMIT__WINDOW: '1h',
    APP_RATE_LIMIT__PER_USER: String(PER_USER),
    APP_RATE_LIMIT__PER_ADDRESS: String(PER_ADDRESS),
    APP_RATE_LIMIT__DATABASE_TIMEOUT: '5s',
    ...env,
  })
  if (env['APP_AUTH__CACHE'] !== 'false') await eventually(async () => app.app.identities.isTrusted)
  await prepare(app.db)
  for (const [index, [name, kill, ownerLives]] of DEATHS.entries()) {
    await t.test(name, async (t) => {
      const network = (host: number) => `10.0.${index}.${host}`
      const scene = await createScene(app, network(1))
      const { request, dying, other } = scene
      const spend = async (as: TestUser, remoteAddress: string) => {
        const { statusCode, headers } = await request({ url: ME, as, remoteAddress })
        return [statusCode, Number(headers['ratelimit-limit']), Number(headers['ratelimit-remaining'])]
      }
      t.match(await spend(dying, network(2)), [200, PER_USER], 'alive, it speaks for its user')
      await kill(scene)
      const [, , remaining = 0] = await spend(other, network(2))
      for (let sent = 1; sent <= PER_ADDRESS; sent++) {
        t.strictSame(await spend(dying, network(3)), [401, PER_ADDRESS, PER_ADDRESS - sent])
      }
      t.match(await spend(dying, network(3)), [429, PER_ADDRESS, 0])
      t.match(await spend(dying, network(4)), [401, PER_ADDRESS], 'from elsewhere it is nobody either')
      if (!ownerLives) return
      t.strictSame(await spend(other, network(3)), [200, PER_USER, remaining - 1], 'the owner lost nothing')
    })
  }
}

async function createScene(app: TestApp, remoteAddress: string): Promise<Scene> {
  const dying = await app.signUp()
  const { sessionId: session_id, refreshToken: refresh_token } = await sessionRecords.open(
    app.app.ctx,
    dying.user,
  )
  const headers = { authorization: `Bearer ${app.app.tokens.issue(dying.user, session_id)}` }
  const other = { ...dying, session_id, refresh_token, headers }
  const admin = await app.signUp({ role: 'admin' })
  const request: TestApp['request'] = (options) => app.request({ remoteAddress, ...options })
  // From its second request on a token is known.
  for (const as of [dying, other, admin]) await request({ url: ME, as })
  return { ...app, request, dying, other, admin }
}

function post(request: TestApp['request'], url: string, as: TestUser | undefined, payload?: object) {
  return request({ method: 'POST', url, ...(as && { as }), ...(payload && { payload }) })
}
