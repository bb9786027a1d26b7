import t from 'tap'
import { operationsOf } from '#test/contract/document.ts'
import { fuzzedOperations } from '#test/fuzz/operations.ts'
import { draftRequest } from '#test/fuzz/plans.ts'
import { injectOptions } from '#test/fuzz/request.ts'
import { SchemaValues } from '#test/fuzz/schema-values.ts'
import { createWorld } from '#test/fuzz/world.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { signUp, type TestUser } from '#test/support/helper.ts'
import { EXPECTATIONS } from './expectations.ts'
import { rightPlan } from './right-plan.ts'

/** Operations that must not lose their requirement. */
const MUST_REQUIRE = [
  'createApiKey',
  'deleteCurrentUser',
  'getWebhookSecret',
  'rotateWebhookSecret',
  'deleteOrganization',
  'deleteUser',
  'inviteUser',
  'releaseQuarantinedFile',
  'suspendOrganization',
  'appointOrganizationOwner',
  'purgeOrganization',
  'createJobAction',
  'pauseQueue',
  'endAdministeredUserSessions',
  'resendMail',
  'sendUserPasswordReset',
  'startImpersonation',
  'updateAdministeredUser',
  'rotateApiKey',
  'transferOwnership',
  'updateApiKey',
  'updateUser',
]

t.test('what needs a recent proof of who asks', async (t) => {
  const world = await createWorld(t)
  const { app, document } = world
  const values = new SchemaValues(document)
  const maxAges = new Map(
    operationsOf(document).map(({ operation }) => [
      String(operation.operationId),
      Number(Object(operation)['x-max-authentication-age']),
    ]),
  )
  const operations = fuzzedOperations(document).filter(({ id }) => Number(maxAges.get(id)) > 0)

  /** Lets a user's sign-in be so long ago; refreshing the session changes nothing about it. */
  async function age({ session_id, refresh_token }: TestUser, seconds: number): Promise<string> {
    await app.db.query({
      name: 'ageAuthentication',
      text: `UPDATE sessions SET authenticated_at = now() - $2 * interval '1 second' WHERE id = $1`,
      values: [session_id, seconds],
    })
    const url = '/api/v1/auth/refresh'
    const refreshed = await app.inject({ method: 'POST', url, payload: { refresh_token } })
    return `Bearer ${refreshed.json().access_token}`
  }

  t.test('the operations that can hurt most are among them', async (t) => {
    const ids = operations.map(({ id }) => id)
    for (const id of MUST_REQUIRE) t.ok(ids.includes(id), id)
  })

  let seed = 0
  for (const operation of operations) {
    const maxAge = Number(maxAges.get(operation.id))

    const ask = async (seconds: number) => {
      const [subject, actor] = [await signUp(app), await signUp(app, { role: 'admin' })]
      const authorization = await age(actor, seconds)
      const plan = rightPlan(operation, values, ++seed)
      const draft = await draftRequest(operation, plan, { app, subject, actor })
      return app.inject(injectOptions(draft, authorization))
    }

    t.test(`${operation.id}: after ${maxAge} s it is refused`, async (t) => {
      const response = await ask(maxAge + 1)
      expectProblem(t, response, { status: 401, code: 'reauthentication_required' })
      const challenge = String(response.headers['www-authenticate'])
      t.match(
        challenge,
        /^Bearer error="insufficient_user_authentication", error_description="[^"]+", max_age="\d+"$/,
      )
      t.ok(challenge.endsWith(`max_age="${maxAge}"`))
    })

    t.test(`${operation.id}: before that it is allowed`, async (t) => {
      const response = await ask(maxAge / 2)
      const { statusCode: status, body } = response
      const outcome = status < 400 ? status : `${status} ${response.json().code}`
      t.equal(outcome, EXPECTATIONS[operation.id]?.admin, body)
    })
  }
})
