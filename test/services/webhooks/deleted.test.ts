import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import * as queries from '#services/webhooks/queries.ts'
import * as administration from '#services/webhooks/queries-of-administration.ts'
import * as deliveries from '#services/webhooks/queries-of-deliveries.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createOrganization } from '#test/support/organizations.ts'

const FOLDER = join(import.meta.dirname, '../../../services/webhooks')

/** The functions whose statements leave out webhooks that are deleted. */
function leavingOut(): string[] {
  return globSync('queries*.ts', { cwd: FOLDER })
    .flatMap((path) =>
      readFileSync(join(FOLDER, path), 'utf8')
        .split(/^export (?:async )?function (?=\w)/m)
        .filter((part) => /\bdeleted_at IS NULL\b/.test(part))
        .map((part) => /^\w+/.exec(part)?.[0] ?? ''),
    )
    .sort()
}

t.test('a webhook that is deleted is seen and changed by nothing, though its rows are there', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const tenant = await createOrganization(app)
  const { id: org } = tenant.organization
  const { id } = await tenant.createWebhook()
  const delivery = await tenant.createDelivery(id)
  await db.query('UPDATE webhook_endpoints SET first_failed_at = now()')
  const [own, all] = [new OrgDatabase(app.db, org), new SystemDatabase(app.db)]
  const page = { before: null, limit: 9 }
  const secret = Buffer.from('secret')
  const asked: Readonly<Record<string, () => Promise<unknown>>> = {
    countEndpoints: async () => (await queries.countEndpoints(own)) || undefined,
    markEndpointDeleted: async () => (await queries.markEndpointDeleted(own, id, [])) || undefined,
    replaceSecret: () => queries.replaceSecret(own, id, { secret, previous: secret, grace: 1 }),
    selectEndpoint: () => queries.selectEndpoint(own, id),
    selectEndpoints: async () => (await queries.selectEndpoints(own, page))[0],
    selectFailing: async () => (await administration.selectFailing(all, { before: undefined, limit: 9 }))[0],
    selectSecrets: () => queries.selectSecrets(own, id),
    selectSubscriptions: async () => (await deliveries.selectSubscriptions(all, [org]))[0],
    selectWork: () => deliveries.selectWork(own, delivery.id),
    updateEndpoint: () => queries.updateEndpoint(own, id, { description: 'changed' }, undefined),
  }
  t.strictSame(Object.keys(asked).sort(), leavingOut(), 'all that leave it out are here')
  for (const [name, ask] of Object.entries(asked))
    if (name !== 'markEndpointDeleted') t.ok(await ask(), `${name}: as long as it is there`)

  await db.query('UPDATE webhook_endpoints SET deleted_at = now()')
  const deleted = await db.query('SELECT * FROM webhook_endpoints')
  const again = await queries.markEndpointDeleted(own, id, undefined)
  t.notOk(again, 'it is not deleted again')
  for (const [name, ask] of Object.entries(asked)) t.equal(await ask(), undefined, name)
  t.strictSame(await db.query('SELECT * FROM webhook_endpoints'), deleted)
})
