import type { JobRun } from '#lib/jobs/jobs.ts'
import type { TestDatabase } from '#test/support/database.ts'

/** Tables whose commits are made to fail, one after the other. */
export const TABLES = [
  'users',
  'sessions',
  'refresh_tokens',
  'one_time_tokens',
  'registrations',
  'idempotency_keys',
  'organizations',
  'memberships',
  'organization_invitations',
  'projects',
  'api_keys',
  'events',
  'audit_intake',
  'webhook_endpoints',
  'webhook_deliveries',
  'files',
  'stored_objects',
  'uploads',
  'paused_queues',
  'job_actions',
  'mails',
  // Not `object_appends`: what has come of an upload counts, whatever becomes of its request.
] as const

/** Triggers that let the commit of a change to a table named in `traps` fail. */
export async function setTraps(db: TestDatabase): Promise<void> {
  await db.query('CREATE TABLE traps (name text)')
  await db.query('CREATE TABLE completed (id integer GENERATED ALWAYS AS IDENTITY)')
  await db.query(`CREATE FUNCTION spring() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM traps WHERE name = TG_TABLE_NAME) THEN RAISE 'a commit that fails'; END IF;
      RETURN NULL;
    END $$`)
  for (const table of TABLES) {
    await db.query(`CREATE CONSTRAINT TRIGGER spring AFTER INSERT OR UPDATE OR DELETE ON ${table}
                    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spring()`)
  }
}

/** A digest of the rows of each table, and of the jobs. */
export async function contents(db: TestDatabase): Promise<Record<string, string>> {
  const digest = (from: string) =>
    `(SELECT count(*) || ' rows, ' || md5(coalesce(string_agg(r::text, ',' ORDER BY r::text), '')) FROM ${from} r)`
  const columns = [...TABLES, 'completed'].map((table) => `${digest(table)} AS ${table}`)
  const jobs = digest("(SELECT id, name, data FROM pgboss.job WHERE name NOT LIKE '\\_\\_pgboss%')")
  const [row = {}] = await db.query<Record<string, string>>(`SELECT ${columns.join(', ')}, ${jobs} AS jobs`)
  return row
}

/** A run of a job whose end leaves a row, so that it can be seen to be part of the transaction. */
export const JOB: Pick<JobRun, 'complete'> = {
  complete: async (db) => {
    await db.query({ name: 'completeJob', text: 'INSERT INTO completed DEFAULT VALUES' })
  },
}
