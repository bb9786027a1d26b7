import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { buildApp } from '#app.ts'
import { startTracing } from '#lib/tracing/start.ts'
import { rightPlan } from '#test/authorization/right-plan.ts'
import { fuzzedOperations } from '#test/fuzz/operations.ts'
import { draftRequest } from '#test/fuzz/plans.ts'
import { injectOptions } from '#test/fuzz/request.ts'
import { SchemaValues } from '#test/fuzz/schema-values.ts'
import { readDocument } from '#test/fuzz/world.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { signUp, testConfig } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { startOtlpReceiver } from '#test/support/otlp-receiver.ts'

// Traces belong to a whole process, so this is not one of test/tenancy/routes.test.ts.

t.test('no text of an organization is in a trace, of its own work or of anybody else’s', async (t) => {
  const traces = await startOtlpReceiver(t)
  const db = await createTestDatabase(t)
  const config = testConfig(db.url, {
    APP_RATE_LIMIT__ENABLED: 'false',
    APP_LOG__LEVEL: 'silent',
    APP_TRACING__ENDPOINT: traces.url,
    APP_TRACING__SAMPLE_RATIO: '1',
  })
  const tracing = await startTracing({ ...config, version: '0', headers: {} })
  const app = await buildApp(config, { tracing })
  t.teardown(() => app.close())
  const document = readDocument(app.swagger())
  const values = new SchemaValues(document)
  const operations = fuzzedOperations(document).filter(({ path }) => path.includes('{organization_id}'))

  const marker = `marker${uuidv7().slice(-12)}`
  const theirs = await createOrganization(app, await signUp(app, { username: marker }))
  const headers = theirs.owner.headers
  await theirs.createProject(marker)
  await theirs.invite(`${marker}@example.com`)
  const key = await theirs.createApiKey({ name: marker })
  const named = {
    method: 'PATCH',
    url: theirs.url,
    payload: { name: marker, slug: marker },
    headers,
  } as const
  t.equal((await app.inject(named)).statusCode, 200)
  const search = { url: `${theirs.url}/projects?name=${marker}`, headers: key.headers }
  t.match((await app.inject(search)).json().data, [{ name: marker }])

  const us = await signUp(app)
  for (const operation of operations) {
    const draft = await draftRequest(operation, rightPlan(operation, values, 1), {
      app,
      subject: us,
      actor: us,
    })
    const foreign = { ...draft.params, organization_id: theirs.organization.id }
    for (const params of [draft.params, foreign]) {
      await app.inject(injectOptions({ ...draft, params }, us.headers.authorization))
    }
  }
  await app.inject({ url: '/api/v1/users/me', headers: us.headers })
  // Sends what it still has.
  await tracing?.shutdown(60_000)
  const missing = operations.filter(({ id }) => !traces.spans.some(({ name }) => name === id))
  t.strictSame(missing, [])
  t.notMatch(traces.bodies.join('\n'), marker)
  t.notMatch(traces.bodies.join('\n'), key.key)
})
