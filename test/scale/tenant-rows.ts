import type { TestDatabase } from '#test/support/database.ts'

const ORGANIZATIONS = 10_000
const PROJECTS = 1_000_000
const OTHERS = 100_000

/** The id, as UUIDv7 are, that a number stands for. */
const idOf = (n: string) =>
  `(lpad(to_hex(1700000000000 + ${n}), 12, '0') || '7' || substr(md5((${n})::text), 1, 3) || '8' || substr(md5((${n})::text), 4, 15))::uuid`

/** The first hundredth belongs to one organization, and the rest to all of them alike. */
const orgOf = (rows: number) => idOf(`CASE WHEN n <= ${rows / 100} THEN 1 ELSE n % ${ORGANIZATIONS} + 1 END`)

const ID = idOf('n')

const FILLINGS = [
  `INSERT INTO users (id, email, username, password_hash, email_verified_at)
   SELECT ${ID}, 'user' || n || '@seed.example.com', 'user' || n, '$argon2id$none', now()
   FROM generate_series(1, ${OTHERS}) AS n`,
  `INSERT INTO organizations (id, name, slug)
   SELECT ${ID}, 'Organization ' || n, 'organization-' || n FROM generate_series(1, ${ORGANIZATIONS}) AS n`,
  `INSERT INTO memberships (org_id, user_id, role)
   SELECT ${orgOf(OTHERS)}, ${ID}, CASE WHEN n % 10 = 0 THEN 'owner' ELSE 'member' END
   FROM generate_series(1, ${OTHERS}) AS n`,
  `INSERT INTO organization_invitations (org_id, id, email, role, digest, invited_by, expires_at)
   SELECT ${orgOf(OTHERS)}, ${ID}, 'new' || n || '@seed.example.com', 'member',
          decode(md5(n::text) || md5((-n)::text), 'hex'), ${ID}, now() + (n - 100) * interval '1 minute'
   FROM generate_series(1, ${OTHERS}) AS n`,
  `INSERT INTO api_keys (org_id, id, name, digest, hint, scopes, created_by, expires_at)
   SELECT ${orgOf(OTHERS)}, ${ID}, 'Key ' || n, decode(md5(n::text) || md5((-n)::text), 'hex'), 'abcd',
          '{projects:read}', ${ID}, now() + (n - 100) * interval '1 minute'
   FROM generate_series(1, ${OTHERS}) AS n`,
  `INSERT INTO webhook_endpoints (org_id, id, url, description, event_types, secret, first_failed_at, disabled_reason)
   SELECT ${orgOf(OTHERS)}, ${ID}, 'https://example.com/in', '', '{projects.*}', '\\x00',
          CASE WHEN n % 100 = 0 THEN now() END, CASE WHEN n % 200 = 0 THEN 'failing' END
   FROM generate_series(1, ${OTHERS}) AS n`,
  `INSERT INTO webhook_deliveries (org_id, id, endpoint_id, event_id, event_type, body, state)
   SELECT ${orgOf(OTHERS)}, ${ID}, ${ID}, ${ID}, 'projects.created', '{}', 'delivered'
   FROM generate_series(1, ${OTHERS}) AS n`,
  `INSERT INTO webhook_attempts (org_id, delivery_id, number, attempted_at, duration_ms, status)
   SELECT ${orgOf(OTHERS)}, ${ID}, 1, now(), 9, 204 FROM generate_series(1, ${OTHERS}) AS n`,
  `INSERT INTO audit_seals (org_id, seq, entry_id, digest, hash)
   SELECT ${orgOf(OTHERS)}, n, ${ID}, '\\x00', '\\x00' FROM generate_series(1, ${OTHERS}) AS n`,
  `INSERT INTO projects (org_id, id, name, description, archived)
   SELECT ${orgOf(PROJECTS)}, ${ID}, 'Project ' || n, '', n % 50 = 0 FROM generate_series(1, ${PROJECTS}) AS n`,
]

/** The tables that are filled. */
export const TENANT_TABLES = FILLINGS.map((sql) => /INSERT INTO (\w+)/.exec(sql)?.[1] ?? '')

/** An organization with many rows, by what the fillings make of the number 1. */
export const LARGE_ORGANIZATION = {
  id: '018bcfe5-6801-7c4c-8a42-38a0b923820d',
  member: '018bcfe5-6801-7c4c-8a42-38a0b923820d',
  project: '018bcfe5-6801-7c4c-8a42-38a0b923820d',
  key: '018bcfe5-6801-7c4c-8a42-38a0b923820d',
  /** One of its other projects. */
  laterProject: '018bcfe5-7b88-7a35-8fe7-f7fe8217b436',
}

/** Fills the tables of organizations, and has PostgreSQL count what is in them. */
export async function fillTenants(db: TestDatabase): Promise<void> {
  // Checking a million references takes as long as all the rest.
  await db.querySuper("SET session_replication_role = 'replica'")
  for (const sql of FILLINGS) await db.querySuper(sql)
  await db.querySuper("SET session_replication_role = 'origin'")
  await db.querySuper('VACUUM ANALYZE')
}
