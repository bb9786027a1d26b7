import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { buildApp } from '#app.ts'
import { rightPlan } from '#test/authorization/right-plan.ts'
import { operationsOf } from '#test/contract/document.ts'
import { type FuzzedOperation, fuzzedOperations } from '#test/fuzz/operations.ts'
import { draftRequest } from '#test/fuzz/plans.ts'
import { type DraftRequest, injectOptions } from '#test/fuzz/request.ts'
import { SchemaValues } from '#test/fuzz/schema-values.ts'
import { readDocument } from '#test/fuzz/world.ts'
import { createTestApp, signUp, type TestUser, testConfig } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { tenantColumn, tenantTablesOf } from './tables.ts'

const ORGANIZATION = '{organization_id}'

t.test('what is not yours answers like what does not exist, byte for byte', async (t) => {
  const { app, db, logLines } = await createTestApp(t, { APP_RATE_LIMIT__ENABLED: 'false', APP_ROLE: 'web' })
  const document = readDocument(app.swagger())
  const values = new SchemaValues(document)
  const operations = fuzzedOperations(document).filter(({ path }) => path.includes(ORGANIZATION))
  t.ok(operations.length > 10)

  const [us, stranger] = [await signUp(app), await signUp(app)]
  // The other organization, with a marker in each text of it.
  const marker = `marker${uuidv7().slice(-12)}`
  const theirs = await createOrganization(app, await signUp(app, { username: marker }))
  await theirs.createProject(marker)
  await theirs.createFile(marker)
  await theirs.invite(`${marker}@example.com`)
  await theirs.createApiKey({ name: marker })
  await theirs.createDelivery((await theirs.createWebhook()).id)
  await app.inject({
    method: 'PATCH',
    url: theirs.url,
    payload: { name: marker, slug: marker },
    headers: theirs.owner.headers,
  })
  const ourKey = await (await createOrganization(app, us)).createApiKey()
  const before = await rowsOf()
  const logged = logLines.length

  async function rowsOf() {
    const rows: object[] = []
    for (const table of await tenantTablesOf(db)) {
      const text = `SELECT * FROM ${table} WHERE ${tenantColumn(table)} = $1 ORDER BY ctid`
      rows.push(...(await db.query(text, [theirs.organization.id])))
    }
    return rows
  }

  async function draftOf(operation: FuzzedOperation): Promise<DraftRequest> {
    const plan = rightPlan(operation, values, 1)
    return draftRequest(operation, plan, { app, subject: us, actor: us })
  }

  async function send(draft: DraftRequest, as: Pick<TestUser, 'headers'> = us) {
    const options = injectOptions(draft, as.headers.authorization)
    const response = await app.inject({ ...options, headers: { ...options.headers, 'x-request-id': 'same' } })
    t.notMatch(response.body, marker)
    return bytesOf(response)
  }

  for (const operation of operations) {
    t.test(operation.id, async (t) => {
      const draft = await draftOf(operation)
      const withParams = (params: object): DraftRequest => ({
        ...draft,
        params: { ...draft.params, ...params },
      })

      const unknown = await send(withParams({ organization_id: uuidv7() }))
      t.match(unknown, /^404 .*"code":"organization_not_found"/)
      t.equal(
        await send(withParams({ organization_id: theirs.organization.id })),
        unknown,
        'their organization',
      )
      t.equal(await send(draft, stranger), unknown, 'for one who is a member of nothing')

      for (const name of Object.keys(draft.params).filter((param) => param !== 'organization_id')) {
        const missing = await send(withParams({ [name]: uuidv7() }))
        t.match(missing, /^404 /)
        for (const id of await idsOf())
          t.equal(await send(withParams({ [name]: id })), missing, `their ${name}`)
      }
      for (const name of idsIn(draft.body)) {
        const withId = (id: string) => ({ ...draft, body: { ...Object(draft.body), [name]: id } })
        const missing = await send(withId(uuidv7()))
        for (const id of await idsOf()) t.equal(await send(withId(id)), missing, `their ${name} in the body`)
      }
    })
  }

  t.test('a key of ours, with their organization', async (t) => {
    const byKey = operationsOf(document)
      .filter(({ operation }) => operation.security?.some((requirement) => 'apiKey' in requirement))
      .map(({ operation }) => operation.operationId)
    t.ok(byKey.length > 5)
    for (const operation of operations.filter(({ id }) => byKey.includes(id))) {
      const draft = await draftOf(operation)
      const ask = (organization_id: string) =>
        send({ ...draft, params: { ...draft.params, organization_id } }, ourKey)
      t.equal(await ask(theirs.organization.id), await ask(uuidv7()), operation.id)
    }
  })

  /** Every id that the other organization has. */
  async function idsOf(): Promise<string[]> {
    return before.flatMap((row) =>
      Object.values(row).filter((value) => /^[0-9a-f-]{36}$/.test(String(value))),
    )
  }

  t.test('nothing of theirs has changed, or was written down', async (t) => {
    t.same(await rowsOf(), before)
    t.notMatch(logLines.slice(logged).join('\n'), marker)
  })
})

t.test('a route below an organization without a permission does not start', async (t) => {
  const { db } = await createTestApp(t)
  for (const [url, config] of [
    ['/api/v1/organizations/:organization_id/secrets', {}],
    ['/api/v1/elsewhere', { permission: 'projects:read' as const }],
  ] as const) {
    const build = buildApp(testConfig(db.url, { APP_LOG__LEVEL: 'silent' }), {
      extend: async (app) => {
        app.get(url, { config }, async () => 'not reached')
      },
    })
    await t.rejects(build, { message: / (?:names no permission|names a permission, and is not below)/ })
  }
})

/** All of an answer that may not tell one thing from another. */
function bytesOf({ statusCode, headers, body }: LightMyRequestResponse): string {
  const { date, ...others } = headers
  return `${statusCode} ${JSON.stringify(others)} ${body}`
}

/** Names of the properties of a body that are ids. */
function idsIn(body: unknown): string[] {
  return Object.entries(Object(body))
    .filter(([, value]) => /^[0-9a-f-]{36}$/.test(String(value)))
    .map(([name]) => name)
}
