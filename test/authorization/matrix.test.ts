// Among the first, because it takes long.

import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { type Situation, tenantOf } from '#test/fuzz/live-values.ts'
import { fuzzedOperations } from '#test/fuzz/operations.ts'
import { draftRequest } from '#test/fuzz/plans.ts'
import { type DraftRequest, injectOptions } from '#test/fuzz/request.ts'
import { SchemaValues } from '#test/fuzz/schema-values.ts'
import { createWorld, type World } from '#test/fuzz/world.ts'
import { forge, hmac, parse } from '#test/plugins/api/tokens/forge.ts'
import type { TestUser } from '#test/support/helper.ts'
import { signUp } from '#test/support/helper.ts'
import { isWanted } from '#test/support/only.ts'
import type { TestApiKey, TestOrganization } from '#test/support/organizations.ts'
import { ACTORS, type Actor, EXPECTATIONS } from './expectations.ts'
import { rightPlan } from './right-plan.ts'

/** Characters of a response that is not as expected. */
const SHOWN = 500

t.test('who may do what', async (t) => {
  const world = await createWorld(t)
  const { document } = world
  const values = new SchemaValues(document)
  const operations = fuzzedOperations(document)

  t.test('every operation has its expectation, and every expectation its operation', async (t) => {
    t.strictSame(Object.keys(EXPECTATIONS).sort(), operations.map(({ id }) => id).sort())
  })

  t.test('the tokens are what they are said to be', async (t) => {
    const ask = async (user: TestUser) =>
      (await world.app.inject({ url: '/api/v1/users/me', headers: user.headers })).statusCode
    const user = await signUp(world.app)
    t.equal(await ask(user), 200)
    t.equal(await ask(shifted(world, user, 0)), 200, 'one that is made by the test is as good as any')
    t.equal(await ask(shifted(world, user, -world.app.tokens.lifetimeS - 1)), 401, 'but for its age')
    const deactivated = await signUp(world.app)
    t.equal(await ask(deactivated), 200, 'the user to be deactivated is signed in')
  })

  let seed = 0
  for (const operation of operations.filter(({ id }) => isWanted(id))) {
    const prepare = async (name: Actor): Promise<Asked> => {
      const subject = await signUp(world.app)
      const actor = isKey(name) ? undefined : await ACTORS_MADE[name](world, subject)
      const situation = { app: world.app, subject, actor }
      const plan = rightPlan(operation, values, ++seed)
      return { name, situation, draft: await draftRequest(operation, plan, situation) }
    }

    const ask = async (name: Actor, { name: prepared, situation, draft }: Asked) => {
      let signer: TestUser | TestApiKey | undefined = situation.actor
      if (isKey(name)) signer = await KEYS_MADE[name](await tenantOf(situation), operation.id)
      else if (name !== prepared) signer = await ACTORS_MADE[name](world, situation.subject)
      return world.app.inject(injectOptions(draft, signer?.headers.authorization))
    }

    t.test(operation.id, async (t) => {
      // What is refused changes nothing, so all who are refused ask the same.
      let refused: Asked | undefined
      for (const name of ACTORS) {
        const expected = EXPECTATIONS[operation.id]?.[name]
        const isRefused = typeof expected === 'string'
        const asked = (isRefused && refused) || (await prepare(isRefused ? 'user' : name))
        if (isRefused) refused = asked
        const response = await ask(name, asked)
        expectOutcome(t, response, expected, name)
      }
    })
  }
})

function expectOutcome(t: Test, response: LightMyRequestResponse, expected: unknown, name: Actor): void {
  const outcome = outcomeOf(response)
  // A megabyte of metrics would be read by tap, line by line.
  const said = outcome === expected ? '' : `: ${response.body.slice(0, SHOWN)}`
  t.equal(outcome, expected, `${name}${said}`)
}

/** The status, and the code of an error. */
function outcomeOf(response: LightMyRequestResponse): number | string {
  const { statusCode: status } = response
  return status < 400 ? status : `${status} ${response.json().code}`
}

/** A request, whom it is about, and for whom it was prepared. */
interface Asked {
  readonly name: Actor
  readonly situation: Situation
  readonly draft: DraftRequest
}

type KeyActor = Extract<Actor, 'key' | 'keyWithoutScope' | 'expiredKey'>

/** How keys are created, of the organization that the request is about. */
const KEYS_MADE: Readonly<
  Record<KeyActor, (tenant: TestOrganization, operationId: string) => Promise<TestApiKey>>
> = {
  key: (tenant) => tenant.createApiKey(),
  keyWithoutScope: (tenant, operationId) =>
    tenant.createApiKey({ scopes: [/Member|Presence/.test(operationId) ? 'projects:read' : 'members:read'] }),
  expiredKey: async (tenant) => {
    const key = await tenant.createApiKey()
    await tenant.expire(key.id)
    return key
  },
}

function isKey(name: Actor): name is KeyActor {
  return name in KEYS_MADE
}

/** How people are created; the subject is the user. */
const ACTORS_MADE: Readonly<
  Record<Exclude<Actor, KeyActor>, (world: World, user: TestUser) => Promise<TestUser | undefined>>
> = {
  none: async () => undefined,
  expired: async (world, user) => shifted(world, user, -world.app.tokens.lifetimeS - 1),
  user: async (_world, user) => user,
  other: ({ app }) => signUp(app),
  admin: ({ app }) => signUp(app, { role: 'admin' }),
  deactivated: async ({ app }) => {
    // Its session stays open: that alone must not do.
    const user = await signUp(app)
    await app.db.query({
      name: 'deactivate',
      text: 'UPDATE users SET is_active = false WHERE id = $1',
      values: [user.user.id],
    })
    return user
  },
}

/** The user with a token of some seconds earlier or later, which the service would have issued then. */
function shifted({ app }: World, user: TestUser, seconds: number): TestUser {
  const { header, payload } = parse(user.headers.authorization.replace('Bearer ', ''))
  const times = { iat: Number(payload['iat']) + seconds, exp: Number(payload['exp']) + seconds }
  const token = forge(header, { ...payload, ...times }, hmac(app.config.jwt.secret))
  return { ...user, headers: { authorization: `Bearer ${token}` } }
}
