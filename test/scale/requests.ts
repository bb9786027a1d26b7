import type { FastifyInstance } from 'fastify'
import { v7 as uuidv7 } from 'uuid'
import { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import { sealBatch } from '#services/audit/sealer.ts'
import { purgeOrganizationsJob } from '#services/organizations/jobs.ts'
import { deleteEndpoint } from '#services/webhooks/queries.ts'
import * as deliveries from '#services/webhooks/queries-of-deliveries.ts'
import { deleteDeliveries, skipPending } from '#services/webhooks/queries-of-waiting.ts'
import { EXPECTATIONS } from '#test/authorization/expectations.ts'
import { rightPlan } from '#test/authorization/right-plan.ts'
import { type FuzzedOperation, fuzzedOperations } from '#test/fuzz/operations.ts'
import { draftRequest } from '#test/fuzz/plans.ts'
import { injectOptions } from '#test/fuzz/request.ts'
import { SchemaValues } from '#test/fuzz/schema-values.ts'
import { readDocument } from '#test/fuzz/world.ts'
import { signUp, type TestUser } from '#test/support/helper.ts'
import { createOrganization, type TestOrganization } from '#test/support/organizations.ts'

/** A run of a job. */
export const RUN = {
  id: uuidv7(),
  attempt: 1,
  signal: new AbortController().signal,
  complete: async () => undefined,
}

/** Requests that are right, of every operation. */
export async function askForEverything(
  app: FastifyInstance,
  turns: number,
  isWanted: (operation: FuzzedOperation) => boolean = () => true,
): Promise<void> {
  const document = readDocument(app.swagger())
  const values = new SchemaValues(document)
  for (const operation of fuzzedOperations(document).filter(isWanted)) {
    for (let turn = 0; turn < turns; turn++) {
      const subject = await signUp(app)
      const actor = await actorOf(app, operation.id, subject)
      const draft = await draftRequest(operation, rightPlan(operation, values, turn), { app, subject, actor })
      const options = injectOptions(draft, actor?.headers.authorization)
      const key = { 'idempotency-key': `"${uuidv7()}"` }
      await app.inject({ ...options, headers: { ...options.headers, ...(turn % 2 ? key : {}) } })
    }
    // As a worker does: entries of the audit log do not pile up.
    await sealBatch(app.ctx)
  }
}

/** Who may do it: nobody in particular, an admin, or the user whom it is about. */
async function actorOf(
  app: FastifyInstance,
  operation: string,
  subject: TestUser,
): Promise<TestUser | undefined> {
  const { none, admin } = EXPECTATIONS[operation] ?? {}
  if (Number.isInteger(none)) return undefined
  return Number.isInteger(admin) ? signUp(app, { role: 'admin' }) : subject
}

/** Statements of organizations that right requests of their owners do not cause. */
export async function workOfOrganizations(app: FastifyInstance): Promise<void> {
  const tenant = await createOrganization(app)
  await tenant.invite()
  const [admin, key] = [await tenant.add('admin'), await tenant.createApiKey()]
  await app.inject({ url: `${tenant.url}/projects`, headers: key.headers })
  const { headers } = tenant.owner
  const url = `${tenant.url}/members/${admin.user.id}`
  await app.inject({ method: 'PATCH', url, payload: { role: 'member' }, headers })
  await workOnDeliveries(app, tenant)
  await app.inject({ method: 'DELETE', url: tenant.url, headers })
  await administer(app)
  await purgeOrganizationsJob.handler(
    { ...app.ctx, tenancy: { ...app.ctx.tenancy, deletionGrace: 0 } },
    {},
    RUN,
  )
}

/** Lists of what all organizations have, found and not found, and from a place in the middle. */
async function administer(app: FastifyInstance): Promise<void> {
  const { headers } = await signUp(app, { role: 'admin' })
  for (const list of [
    'organizations?limit=2',
    'organizations?limit=2&q=organization-1',
    'organizations?limit=2&q=ORGANIZATION',
    'organizations?limit=2&q=nobody',
    'webhooks?limit=2',
    'webhooks?limit=2&status=failing',
    `webhooks?limit=2&organization_id=${uuidv7()}`,
  ]) {
    const url = `/api/v1/operations/${list}`
    const { next_cursor } = (await app.inject({ url, headers })).json()
    if (next_cursor) await app.inject({ url: `${url}&cursor=${next_cursor}`, headers })
  }
}

/** Statements for a webhook whose receiver fails, and then does not. */
async function workOnDeliveries(app: FastifyInstance, tenant: TestOrganization): Promise<void> {
  const { id: org } = tenant.organization
  const { id: webhook } = await tenant.createWebhook()
  const { id } = await tenant.createDelivery(webhook)
  const [db, now] = [new OrgDatabase(app.db, org), new Date()]
  const day = 'since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z'
  for (const query of [
    '',
    'state=failed',
    'event_type=projects.*',
    `event_id=${id}`,
    day,
    `state=failed&${day}`,
  ]) {
    const url = `${tenant.url}/webhooks/${webhook}/deliveries?${query}`
    await app.inject({ url, headers: tenant.owner.headers })
  }
  await deliveries.selectSubscriptions(new SystemDatabase(app.db), [org])
  await deliveries.selectWork(db, id)
  await deliveries.postponeDelivery(db, id, { attempts: 1, until: now })
  await deliveries.markSlow(db, webhook)
  await deliveries.recordFailure(db, webhook, now)
  await deliveries.markWarned(db, webhook, now)
  await deliveries.recordSuccess(db, webhook, false)
  await deliveries.stopEndpoint(db, webhook, 'failing')
  await skipPending(db, webhook, { after: id, limit: 10 })
  await deleteDeliveries(db, webhook, 10)
  await deleteEndpoint(db, webhook)
}

/** The names of the statements that an application has run. */
export async function namesOf(app: FastifyInstance): Promise<string[]> {
  const values = (await app.metrics.getSingleMetric('db_query_duration_seconds')?.get())?.values ?? []
  return values.flatMap(({ labels }) => Object.values(labels).map(String))
}
