import { hash } from '@node-rs/argon2'
import type pg from 'pg'

/** The password of every user that a run makes. */
export const PASSWORD = 'correct horse battery staple'

/** Users that are made to sign in: each with its own account, so that no row is everybody's. */
export const ACCOUNTS = 64

/** The address of the account with this number, from 0; number 0 is an admin. */
export function emailOf(account: number): string {
  return `account${account}@bench.example.com`
}

/**
 * Fills the table: ACCOUNTS users who can sign in, and before them others until there are `count`. Ids ascend
 * as UUIDv7 do, a millisecond apart.
 */
export async function seedUsers(client: pg.Client, count: number): Promise<void> {
  // The parameters are those of config/default.toml, so that no login has to renew the hash.
  const passwordHash = await hash(PASSWORD, { memoryCost: 19456, timeCost: 2, parallelism: 1 })
  await client.query({
    text: `
      INSERT INTO users (id, email, username, password_hash, role, created_at, updated_at, email_verified_at)
      SELECT (lpad(to_hex(at), 12, '0') || '7' || substr(random, 1, 3) || '8' || substr(random, 4, 15))::uuid,
             CASE WHEN account >= 0 THEN 'account' || account || '@bench.example.com'
                  ELSE 'user' || n || '@seed.example.com' END,
             CASE WHEN account >= 0 THEN 'account' || account ELSE 'user' || n END,
             $2, CASE WHEN account = 0 THEN 'admin' ELSE 'user' END,
             to_timestamp(at / 1000.0), to_timestamp(at / 1000.0), to_timestamp(at / 1000.0)
      FROM (
        SELECT n, n - $1::bigint + $3::bigint AS account, md5(n::text) AS random,
               (extract(epoch FROM now()) * 1000)::bigint - $1::bigint + n - 60000 AS at
        FROM generate_series(0, $1::bigint - 1) AS n
      ) AS numbers`,
    values: [Math.max(count, ACCOUNTS), passwordHash, ACCOUNTS],
  })
  await client.query('VACUUM ANALYZE users')
}

/** The id of the user after whom the deep page begins: the one in the middle of the list. */
export async function middleOfList(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    'SELECT id FROM users ORDER BY id DESC LIMIT 1 OFFSET (SELECT count(*) / 2 FROM users)',
  )
  const id = rows[0]?.id
  if (id === undefined) throw new Error('The table of users is empty.')
  return id
}

/** The refresh token that a seeded session has for a number. */
function refreshTokenOf(number: string): string {
  return `bench-refresh-token-${number}`
}

/** Projects of each organization. */
const PROJECTS = 10_000

/**
 * Fills the table of projects: `count` of them, ten thousand for each organization, in turn, so that no two rows of one
 * organization lie side by side. All accounts are members of the first organization. Ids ascend, so the requests know the
 * first organization and its first project by theirs (targets/contract.json).
 */
export async function seedProjects(client: pg.Client, count: number): Promise<void> {
  const id = (first: string, n: string) =>
    `(lpad(to_hex(${first}), 12, '0') || '70008000' || lpad(to_hex(${n}), 12, '0'))::uuid`
  const organization = (n: string) => id('1700000000000', n)
  const organizations = Math.max(1, Math.round(count / PROJECTS))
  await client.query(`
    SELECT set_config('app.scope', 'system', false);
    INSERT INTO organizations (id, name)
      SELECT ${organization('n')}, 'organization ' || n FROM generate_series(0, ${organizations - 1}) AS n;
    INSERT INTO memberships (org_id, user_id, role)
      SELECT ${organization('0')}, id, CASE role WHEN 'admin' THEN 'owner' ELSE 'member' END
      FROM users WHERE email LIKE 'account%@bench.example.com';
    INSERT INTO projects (org_id, id, name, description)
      SELECT ${organization(`n % ${organizations}`)}, ${id('1700000000000 + n', 'n')}, 'project ' || n, 'One of many.'
      FROM generate_series(0, ${organizations * PROJECTS - 1}) AS n`)
  await client.query('VACUUM ANALYZE organizations, memberships, projects')
}

/** Takes the policies off the tables that have any. */
export async function removePolicies(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT oid::regclass::text AS name FROM pg_class WHERE relrowsecurity',
  )
  for (const { name } of rows) {
    await client.query(`ALTER TABLE ${name} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY`)
  }
}

/** Opens sessions of the other users, with the refresh tokens of `count` numbers from `first`. */
export async function seedSessions(client: pg.Client, first: number, count: number): Promise<void> {
  await client.query({
    text: `
      WITH others AS (SELECT array_agg(id) AS ids FROM users WHERE email LIKE 'user%'),
      opened AS (
        SELECT gen_random_uuid() AS id, ids[1 + n % array_length(ids, 1)] AS user_id,
               sha256(convert_to($3 || n, 'UTF8')) AS digest
        FROM others, generate_series($1::bigint, $1::bigint + $2::bigint - 1) AS n
      ),
      sessions_made AS (
        INSERT INTO sessions (id, user_id, ip, idle_expires_at, expires_at)
        SELECT id, user_id, '127.0.0.1', now() + interval '1 day', now() + interval '1 day' FROM opened
      )
      INSERT INTO refresh_tokens (digest, session_id) SELECT digest, id FROM opened`,
    values: [first, count, refreshTokenOf('')],
  })
}
