import { onlyRow } from '#lib/database/only-row.ts'
import type { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import type { ApiKey } from '#schemas/api-keys.ts'
import type { CallerRow } from './caller.ts'

const STATUS = `CASE WHEN revoked_at IS NOT NULL THEN 'revoked'
                     WHEN expires_at <= now() THEN 'expired'
                     WHEN disabled_at IS NOT NULL THEN 'disabled'
                     ELSE 'active' END`

const COLUMNS = `id, org_id AS organization_id, name, hint, scopes, allowed_networks::text[], ${STATUS} AS status,
                 created_by, created_at, updated_at, expires_at, last_used_at, host(last_used_ip) AS last_used_ip,
                 replaced_by`

/** Condition for a key that can still be used, now or once it is enabled. */
const ACCEPTED = `k.id, k.digest, k.scopes, k.allowed_networks::text[], k.expires_at,
                  o.suspended_at IS NOT NULL AS is_suspended, statement_timestamp() AS read_at
           FROM api_keys k JOIN organizations o ON o.id = k.org_id`
const IS_ACCEPTED =
  'k.disabled_at IS NULL AND k.revoked_at IS NULL AND k.expires_at > now() AND o.deleted_at IS NULL'

const ALIVE = 'revoked_at IS NULL AND expires_at > now()'

export interface NewKey
  extends Pick<ApiKey, 'id' | 'name' | 'hint' | 'scopes' | 'allowed_networks' | 'created_by'> {
  digest: Buffer
  /** Seconds. */
  lifetime: number
  is_disabled: boolean
}

export async function insertKey(db: OrgDatabase, key: NewKey): Promise<ApiKey | undefined> {
  const { id, name, digest, hint, scopes, allowed_networks, created_by, lifetime, is_disabled } = key
  const rows = await db.query<ApiKey>({
    name: 'insertApiKey',
    text: `INSERT INTO api_keys (org_id, id, name, digest, hint, scopes, allowed_networks, created_by, expires_at,
             disabled_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9 * interval '1 second', CASE WHEN $10 THEN now() END)
           RETURNING ${COLUMNS}`,
    values: [db.org, id, name, digest, hint, scopes, allowed_networks, created_by, lifetime, is_disabled],
  })
  return rows[0]
}

export async function selectKey(db: OrgDatabase, id: string): Promise<ApiKey | undefined> {
  const rows = await db.query<ApiKey>({
    name: 'selectApiKey',
    text: `SELECT ${COLUMNS} FROM api_keys WHERE org_id = $1 AND id = $2`,
    values: [db.org, id],
    pipelined: true,
  })
  return rows[0]
}

/** The same; nobody changes the key until the transaction ends. */
export async function lockKey(db: OrgDatabase, id: string): Promise<ApiKey | undefined> {
  const rows = await db.query<ApiKey>({
    name: 'lockApiKey',
    text: `SELECT ${COLUMNS} FROM api_keys WHERE org_id = $1 AND id = $2 FOR NO KEY UPDATE`,
    values: [db.org, id],
  })
  return rows[0]
}

/** How many keys can be used, now or once they are enabled. One that has another in its place is not counted. */
export async function countKeys(db: OrgDatabase): Promise<number> {
  const rows = await db.query<{ keys: number }>({
    name: 'countApiKeys',
    text: `SELECT count(*)::int AS keys FROM api_keys WHERE org_id = $1 AND ${ALIVE} AND replaced_by IS NULL`,
    values: [db.org],
  })
  return onlyRow(rows).keys
}

/** Newest first. */
export function selectKeys(
  db: OrgDatabase,
  { before, limit }: { before: string | null; limit: number },
): Promise<ApiKey[]> {
  return db.query<ApiKey>({
    name: 'selectApiKeys',
    text: `SELECT ${COLUMNS} FROM api_keys WHERE org_id = $1 AND ($2::uuid IS NULL OR id < $2)
           ORDER BY id DESC LIMIT $3`,
    values: [db.org, before, limit],
  })
}

export interface KeyChanges {
  readonly name?: string
  readonly scopes?: readonly string[]
  readonly allowed_networks?: readonly string[]
  readonly is_disabled?: boolean
}

/** Changes a key that has not ended; returns undefined unless it is one of the versions, if they are given. */
export async function updateKey(
  db: OrgDatabase,
  id: string,
  changes: KeyChanges,
  versions: readonly string[] | undefined,
): Promise<ApiKey | undefined> {
  const { name, scopes, allowed_networks, is_disabled } = changes
  const rows = await db.query<ApiKey>({
    name: 'updateApiKey',
    text: `UPDATE api_keys
           SET name = coalesce($3, name), scopes = coalesce($4, scopes),
               allowed_networks = coalesce($5::cidr[], allowed_networks),
               disabled_at = CASE WHEN $6 THEN coalesce(disabled_at, now()) WHEN $6 IS NULL THEN disabled_at END
           WHERE org_id = $1 AND id = $2 AND ${ALIVE} AND ($7::timestamptz[] IS NULL OR updated_at = ANY ($7))
           RETURNING ${COLUMNS}`,
    values: [db.org, id, name, scopes, allowed_networks, is_disabled, versions],
  })
  return rows[0]
}

/** Returns false when it is revoked already, or another version than those that are given. */
export async function revokeKey(
  db: OrgDatabase,
  id: string,
  versions: readonly string[] | undefined,
): Promise<boolean> {
  const rows = await db.query({
    name: 'revokeApiKey',
    text: `UPDATE api_keys SET revoked_at = now()
           WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL
             AND ($3::timestamptz[] IS NULL OR updated_at = ANY ($3))
           RETURNING id`,
    values: [db.org, id, versions],
  })
  return rows.length > 0
}

/** Ends a key after a grace in seconds, unless it ends before, or has another in its place. */
export async function replaceKey(
  db: OrgDatabase,
  id: string,
  successor: string,
  grace: number,
): Promise<boolean> {
  const rows = await db.query({
    name: 'replaceApiKey',
    text: `UPDATE api_keys
           SET replaced_by = $3, expires_at = least(expires_at, now() + $4 * interval '1 second')
           WHERE org_id = $1 AND id = $2 AND ${ALIVE} AND replaced_by IS NULL
           RETURNING id`,
    values: [db.org, id, successor, grace],
  })
  return rows.length > 0
}

/** A key that is accepted now. Times are RFC 3339. */
export interface AcceptedKey extends CallerRow {
  expires_at: string
  /** The database's clock, before it looked. */
  read_at: string
}

/**
 * Returns a key if it is accepted now. One statement, because authentication asks it.
 *
 * @reads organizations
 */
export async function selectAcceptedKey(db: OrgDatabase, id: string): Promise<AcceptedKey | undefined> {
  const rows = await db.query<AcceptedKey>({
    name: 'selectAcceptedApiKey',
    text: `SELECT ${ACCEPTED} WHERE k.org_id = $1 AND k.id = $2 AND ${IS_ACCEPTED}`,
    values: [db.org, id],
    pipelined: true,
  })
  return rows[0]
}

/** The same for many keys of many organizations. */
export function selectAcceptedKeys(
  db: SystemDatabase,
  orgs: readonly string[],
  ids: readonly string[],
): Promise<(AcceptedKey & { org_id: string })[]> {
  return db.query({
    name: 'selectAcceptedApiKeys',
    text: `SELECT k.org_id, ${ACCEPTED}
           JOIN unnest($1::uuid[], $2::uuid[]) AS asked (org_id, id) ON k.org_id = asked.org_id AND k.id = asked.id
           WHERE ${IS_ACCEPTED}`,
    values: [orgs, ids],
  })
}

/** Returns the ids of an organization's keys that have not ended. */
export async function selectKeyIds(db: SystemDatabase, org: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>({
    name: 'selectApiKeyIds',
    text: `SELECT id FROM api_keys WHERE org_id = $1 AND ${ALIVE}`,
    values: [org],
  })
  return rows.map(({ id }) => id)
}

/** A use of a key. */
export interface Use {
  readonly org: string
  readonly id: string
  readonly ip: string
}

/**
 * Writes when keys were last used, each once a minute at most, whichever instances saw it. A row that somebody else is
 * changing is left out, so that instances never wait for each other.
 */
export async function updateLastUses(db: SystemDatabase, uses: readonly Use[]): Promise<void> {
  await db.query({
    name: 'updateLastUses',
    text: `UPDATE api_keys k SET last_used_at = now(), last_used_ip = due.ip
           FROM (SELECT k.org_id, k.id, used.ip
                 FROM unnest($1::uuid[], $2::uuid[], $3::inet[]) AS used (org_id, id, ip)
                 JOIN api_keys k USING (org_id, id)
                 WHERE k.last_used_at IS NULL OR k.last_used_at <= now() - interval '1 minute'
                 FOR UPDATE OF k SKIP LOCKED) AS due
           WHERE k.org_id = due.org_id AND k.id = due.id`,
    values: [uses.map(({ org }) => org), uses.map(({ id }) => id), uses.map(({ ip }) => ip)],
  })
}
