import type { TestDatabase } from '#test/support/database.ts'

/** Rows of the tables that every user adds to; a fifth of that where what is kept is soon deleted again. */
const ROWS = 1_000_000
const PASSING = ROWS / 5

/** Ids as UUIDv7 are, one for each number and in its order. */
const ID = `(lpad(to_hex(1700000000000 + n), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid`
/** One of a hundred organizations. */
const CHAIN = `md5((n % 100)::text)::uuid`
const DIGEST = `decode(md5(n::text) || md5((-n)::text), 'hex')`
/** Hardly any of it has expired. */
const EXPIRES = `now() + (n - 100) * interval '1 minute'`

const FILLINGS = [
  `INSERT INTO users (id, email, username, password_hash, role, is_active)
   SELECT ${ID}, 'user' || n || '@seed.example.com', 'user' || n, '$argon2id$none',
          CASE WHEN n % 10000 = 0 THEN 'admin' ELSE 'user' END, n % 1000 <> 0
   FROM generate_series(1, ${ROWS}) AS n`,
  `INSERT INTO sessions (id, user_id, ip, idle_expires_at, expires_at)
   SELECT ${ID}, ${ID}, '192.0.2.1', now() + interval '20 days', now() + interval '80 days'
   FROM generate_series(1, ${ROWS}) AS n`,
  `INSERT INTO refresh_tokens (digest, session_id)
   SELECT ${DIGEST}, ${ID} FROM generate_series(1, ${ROWS}) AS n`,
  `INSERT INTO security_events (id, kind, user_id)
   SELECT ${ID}, 'refresh_token_reused', ${ID} FROM generate_series(1, ${PASSING}) AS n`,
  `INSERT INTO one_time_tokens (id, digest, user_id, purpose, expires_at)
   SELECT ${ID}, ${DIGEST}, ${ID}, 'reset_password', ${EXPIRES} FROM generate_series(1, ${PASSING}) AS n`,
  `INSERT INTO registrations (id, digest, email, username, password_hash, expires_at)
   SELECT ${ID}, ${DIGEST}, 'new' || n || '@seed.example.com', 'new' || n, 'x', ${EXPIRES}
   FROM generate_series(1, ${PASSING}) AS n`,
  `INSERT INTO login_attempts (subject, failures, expires_at)
   SELECT 'network:' || n, 1, ${EXPIRES} FROM generate_series(1, ${PASSING}) AS n`,
  `INSERT INTO idempotency_keys (id, fingerprint, status, expires_at)
   SELECT ${DIGEST}, ${DIGEST}, 204, ${EXPIRES} FROM generate_series(1, ${PASSING}) AS n`,
  `INSERT INTO rate_limits (subject, points, used, granted, expires_at)
   SELECT 'address:' || n, 1000, 1, 1, ${EXPIRES} FROM generate_series(1, ${PASSING}) AS n`,
  `INSERT INTO stored_objects (key, store, space_id, bytes, state, expires_at)
   SELECT md5(n::text), 'local', ${ID}, 1, 'kept', ${EXPIRES} FROM generate_series(1, ${PASSING}) AS n`,
  `INSERT INTO storage_usage (space_id, bytes)
   SELECT ${ID}, 1 FROM generate_series(1, ${PASSING}) AS n`,
  `INSERT INTO files (space_id, id, user_id, purpose, name, key, media_type, size, sha256, written_at)
   SELECT ${ID}, ${ID}, ${ID}, 'attachment', 'a file', md5(n::text), 'text/plain', 1, ${DIGEST}, now()
   FROM generate_series(1, ${PASSING}) AS n`,
  `INSERT INTO audit_entries (org_id, id, at, actor_kind, actor_id, action, target_type, target_id, outcome, details,
                              personal_commitment, mac)
   SELECT ${CHAIN}, ${ID}, now(), 'user', n::text, 'projects.created', 'project', n::text, 'succeeded', '{}', '\\x00', '\\x00'
   FROM generate_series(1, ${PASSING}) AS n`,
  `INSERT INTO audit_personal (org_id, entry_id, user_id, salt, ip)
   SELECT ${CHAIN}, ${ID}, ${ID}, '\\x00', '192.0.2.1' FROM generate_series(1, ${PASSING}) AS n`,
  `INSERT INTO audit_seals (org_id, seq, entry_id, digest, hash)
   SELECT ${CHAIN}, n / 100 + 1, ${ID}, ${DIGEST}, ${DIGEST} FROM generate_series(0, ${PASSING - 1}) AS n`,
  `INSERT INTO events (id, type, version, subject_type, subject_id, actor_kind, data, fanned_out_at, broker_at,
                       realtime_at)
   SELECT uuidv7(), 'users.created', 1, 'user', ${ID}, 'system', '{}', now(), now(), now()
   FROM generate_series(1, ${PASSING}) AS n`,
]

/** The tables that grow with the users, and so must never be read from end to end. */
export const LARGE_TABLES = FILLINGS.map((sql) => /INSERT INTO (\w+)/.exec(sql)?.[1] ?? '')

/** Fills the tables of a database, and has PostgreSQL count what is in them. */
export async function fill(db: TestDatabase): Promise<void> {
  // Checking a million references takes as long as all the rest.
  await db.querySuper("SET session_replication_role = 'replica'")
  for (const sql of FILLINGS) await db.querySuper(sql)
  await db.querySuper("SET session_replication_role = 'origin'")
  await db.querySuper('VACUUM ANALYZE')
}
