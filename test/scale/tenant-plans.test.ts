import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { buildApp } from '#app.ts'
import * as apiKeys from '#services/api-keys/api-keys.ts'
import { acceptedKeyIds } from '#services/api-keys/listeners.ts'
import * as invitations from '#services/invitations/invitations.ts'
import * as invitationRecords from '#services/invitations/records.ts'
import { memberIds } from '#services/members/listeners.ts'
import * as members from '#services/members/members.ts'
import * as memberRecords from '#services/members/records.ts'
import { cleanupJob } from '#services/operations/jobs.ts'
import * as organizations from '#services/organizations/organizations.ts'
import * as projects from '#services/projects/projects.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'
import { testConfig } from '#test/support/helper.ts'
import { tenantColumn, tenantTablesOf } from '#test/tenancy/tables.ts'
import { askForEverything, namesOf, RUN, workOfOrganizations } from './requests.ts'
import { explainAll, hearPlans, isSlow, statementNames } from './statements.ts'
import { fillTenants, LARGE_ORGANIZATION, TENANT_TABLES } from './tenant-rows.ts'

// A million rows take their time, on a machine that may be busy.
t.setTimeout(900_000)

/** PostgreSQL makes a plan for any values only when it has seen some. */
const TURNS = 7

/** Indexes of tenant tables that do not begin with the organization, each with what asks for it. */
const ACROSS_ORGANIZATIONS: Readonly<Record<string, string>> = {
  memberships_user_id_idx: 'the organizations of a user',
  organization_invitations_folded_email_idx: 'the invitations to an address',
  organization_invitations_expires_at_idx: 'the cleanup',
  api_keys_created_by_idx: 'the deletion of an account',
  api_keys_ended_idx: 'the cleanup',
  audit_intake_id_idx: 'entries that wait for the sealer',
  audit_pending_entry_id_idx: 'the same, of a version before',
  events_broker_idx: 'events that wait for the broker',
  events_fanned_out_idx: 'events that wait for the relay',
  events_pkey: 'one event, by those who pass it on',
  files_created_by_idx: 'the deletion of an account',
  files_scan_waiting_idx: 'the job that scans what waits',
  files_quarantined_idx: 'the list of admins',
  files_key_idx: 'the removal of an object',
  files_org_id_idx: 'the deletion of an organization',
  files_purge_at_idx: 'the cleanup',
  files_user_id_idx: 'the deletion of an account',
  organizations_deleted_at_idx: 'the job that deletes rows for good',
  organizations_purge_requested_at_idx: 'the job that deletes rows for good',
  organizations_slug_key: 'the check that a slug is free',
  webhook_attempts_attempted_at_idx: 'the cleanup',
  webhook_deliveries_created_at_idx: 'the cleanup',
  webhook_endpoints_failing_idx: 'the list of admins',
}

const FOLDERS = 'services/{api-keys,invitations,members,organizations,projects,webhooks}'

t.test('with 10 000 organizations, each statement reads the rows of its own by an index', async (t) => {
  const db = await createTestDatabase(t)
  await fillTenants(db)
  for (const sql of explainAll(db.name)) await db.querySuper(sql)
  const heard = hearPlans()
  const app = await buildApp(testConfig(db.url, { APP_ROLE: 'web', APP_LOG__LEVEL: 'error' }))
  await askForEverything(app, TURNS, ({ path }) => /organizations|invitations|api-keys|webhooks/.test(path))
  for (let turn = 0; turn < TURNS; turn++) {
    await workOfOrganizations(app)
    await listOfTheLargest(app)
    await cleanupJob.handler(app.ctx, {}, RUN)
  }
  // The uses of keys are written then.
  await app.close()

  const run = new Set(await namesOf(app))
  const names = await statementNames(FOLDERS)
  t.ok(names.length > 40)
  t.strictSame(
    names.filter((name) => !run.values().some((known) => name.test(known))),
    [],
    'every statement was run',
  )
  const slow = new Map(
    heard.filter((plan) => isSlow(plan, TENANT_TABLES)).map((plan) => [textOf(plan), plan]),
  )
  for (const plan of slow.values()) t.fail('it reads too much', { plan: plan.split('\n') })
  const used = new Set(heard.flatMap(indexesOf))
  const across = (await indexesAcross(db)).filter((name) => used.has(name))
  for (const name of across) t.ok(Object.hasOwn(ACROSS_ORGANIZATIONS, name), name)
  t.ok(used.has('projects_pkey') && used.has('memberships_pkey'), 'plans were heard')
})

/** Each list of an organization that has a hundred times as many rows as the others. */
async function listOfTheLargest({ ctx }: FastifyInstance): Promise<void> {
  const own = memberRecords.forNewOrganization(ctx, LARGE_ORGANIZATION.id, LARGE_ORGANIZATION.member)
  const cursor = ctx.cursors.encode(`projects:${LARGE_ORGANIZATION.id}`, LARGE_ORGANIZATION.laterProject)
  for (const filter of [{}, { archived: true }, { archived: false }]) {
    await projects.list(own, { ...filter, limit: 50 })
    await projects.list(own, { ...filter, limit: 50, cursor })
  }
  const lists = [members.list, invitations.list, apiKeys.list]
  for (const list of lists) await list(own, { limit: 50 })
  await memberRecords.findAdministrators(own)
  await memberIds(ctx, LARGE_ORGANIZATION.id)
  await acceptedKeyIds(ctx, LARGE_ORGANIZATION.id)
  await invitationRecords.withdrawAllOf(ctx, uuidv7())
  await ctx.memberships.loadTogether(LARGE_ORGANIZATION.id, LARGE_ORGANIZATION.member)
  await ctx.apiKeys.loadAgain({ org: LARGE_ORGANIZATION.id, id: LARGE_ORGANIZATION.key })
  await projects.get(own, LARGE_ORGANIZATION.project).catch(() => undefined)
  await organizations.list(ctx, { id: LARGE_ORGANIZATION.member }, { limit: 50 })
}

const textOf = (plan: string) => plan.slice(0, plan.indexOf('Plan:'))

function indexesOf(plan: string): string[] {
  const found = plan.matchAll(/Index (?:Only )?Scan (?:Backward )?using (\w+)|Bitmap Index Scan on (\w+)/g)
  return [...found].map(([, ordered, bitmap]) => ordered ?? bitmap ?? '')
}

/** The indexes of tenant tables whose first column is another. */
async function indexesAcross(db: TestDatabase): Promise<string[]> {
  const found: string[] = []
  for (const table of await tenantTablesOf(db)) {
    const rows = await db.query<{ name: string }>(
      `SELECT i.indexrelid::regclass::text AS name
       FROM pg_index i LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
       WHERE i.indrelid = $1::regclass AND a.attname IS DISTINCT FROM $2`,
      [table, tenantColumn(table)],
    )
    found.push(...rows.map(({ name }) => name))
  }
  return found
}
