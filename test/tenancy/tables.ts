import type { TestDatabase } from '#test/support/database.ts'

/** Tables that hold rows of no organization, and why. What is not here is a tenant table. */
export const GLOBAL_TABLES: Readonly<Record<string, string>> = {
  audit_checkpoints: 'of all chains',
  audit_verifications: 'of all chains',
  backups: 'of the database as a whole',
  consumed_events: 'ids of events alone, which tell nothing',
  idempotency_keys: "of a user's requests; the route is asked for the membership first",
  instances: 'of the service',
  job_actions: 'of operators, about jobs of all',
  login_attempts: 'of accounts and networks',
  mails: 'of addresses, as jobs are; only operators read them',
  object_appends: 'random names in the store of objects',
  object_variants: 'random names in the store of objects',
  one_time_tokens: 'of users',
  paused_queues: 'names of queues',
  rate_limits: 'of clients',
  realtime_nodes: 'of processes',
  realtime_state: 'counts the messages of all channels',
  refresh_tokens: 'of sessions',
  registrations: 'of people without an account yet',
  schemaversion: 'of migrations',
  security_events: 'of users',
  sessions: 'of users',
  storage_usage:
    'of users and organizations alike, and names nobody; a trigger must find it at every deletion',
  stored_objects: 'random names in the store of objects',
  users: 'people belong to many organizations',
}

/** The column that says whose a row is, where it is not `org_id`. */
const TENANT_COLUMNS: Readonly<Record<string, string>> = {
  // An organization's id, or that of a user.
  files: 'space_id',
  organizations: 'id',
  uploads: 'space_id',
}

export const tenantColumn = (table: string) => TENANT_COLUMNS[table] ?? 'org_id'

/** Tenant tables that also have rows of no organization, or that outlive it, and why. */
export const LOOSE_TABLES: Readonly<Record<string, string>> = {
  audit_checkpoint_heads: 'the audit log outlives the organization; so for all tables of it',
  audit_cuts: 'of the audit log',
  audit_entries: 'of the audit log; what is about no organization has the nil UUID',
  audit_growth: 'of the audit log',
  audit_intake: 'of the audit log',
  audit_pending: 'of the audit log',
  audit_personal: 'of the audit log',
  audit_seals: 'of the audit log',
  realtime_channels: 'of people too; forgotten after a month',
  realtime_messages: 'of people too; forgotten after an hour',
  realtime_presence: 'of people too; gone when they are',
  events: 'of people too; the deletion of an organization is an event, and is told when it is gone',
}

/** Unique indexes that are not by organization, and why. */
export const GLOBAL_INDEXES: Readonly<Record<string, string>> = {
  events_pkey: 'the id is random, and receivers know an event by it alone',
  realtime_channels_pkey: 'the name has the id of the organization or the user in it',
  realtime_messages_pkey: 'the order of all messages',
  realtime_messages_position_key: 'begins with the name of the channel',
  realtime_presence_pkey: 'begins with the name of the channel',
  organizations_slug_key: 'slugs are public names',
}

/** Policies beside the standard two, and what they say. */
export const FURTHER_POLICIES: Readonly<Record<string, RegExp>> = {
  'audit_entries.platform': /^INSERT CHECK \(org_id = '00000000-0000-0000-0000-000000000000'::uuid\)$/,
  'audit_intake.platform': /^INSERT CHECK \(org_id = '00000000-0000-0000-0000-000000000000'::uuid\)$/,
  'audit_pending.platform': /^INSERT CHECK \(org_id = '00000000-0000-0000-0000-000000000000'::uuid\)$/,
  'audit_personal.platform': /^INSERT CHECK \(org_id = '00000000-0000-0000-0000-000000000000'::uuid\)$/,
  'events.platform': /^INSERT CHECK \(org_id IS NULL\)$/,
  'files.own': /^ALL \(\(.*current_org.* IS NULL\) AND \(space_id = .*current_app_user.*\)\)$/,
  'memberships.own': /^SELECT \(\(user_id = .*current_app_user.*current_org.* IS NULL\)\)$/,
  'organization_invitations.own':
    /^SELECT \(\(.*current_org.* IS NULL\) AND \(folded_email = .*current_app_user.*email_verified_at IS NOT NULL.*\)\)$/,
  'organizations.invited':
    /^SELECT \(\(.*current_org.* IS NULL\) AND \(id = ANY .*organization_invitations.*current_app_user.*\)\)$/,
  'uploads.own': /^ALL \(\(.*current_org.* IS NULL\) AND \(space_id = .*current_app_user.*\)\)$/,
  'organizations.own': /^SELECT \(\(.*current_org.* IS NULL\) AND \(id = ANY .*current_app_user.*\)\)$/,
}

/** Every table of the service, by name. */
export async function tablesOf(db: Pick<TestDatabase, 'query'>): Promise<string[]> {
  const rows = await db.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
  )
  return rows.map(({ name }) => name)
}

export async function tenantTablesOf(db: Pick<TestDatabase, 'query'>): Promise<string[]> {
  return (await tablesOf(db)).filter((table) => !Object.hasOwn(GLOBAL_TABLES, table))
}
