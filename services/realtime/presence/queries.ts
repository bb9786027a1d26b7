import { onlyRow } from '#lib/database/only-row.ts'
import type { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'

/** Somebody who listens to a channel, by one connection. */
export interface Presence {
  readonly org: string | null
  readonly channel: string
  /** The connection's id. */
  readonly client: string
  /** Who it is: a user's id, or `api_key:` and that of a key. */
  readonly caller: string
}

/** Says that a process lives; returns false when nobody knows it any more, nor its rows. */
export async function updateNode(db: SystemDatabase, id: string): Promise<boolean> {
  const rows = await db.query({
    name: 'updateRealtimeNode',
    text: 'UPDATE realtime_nodes SET seen_at = clock_timestamp() WHERE id = $1 RETURNING id',
    values: [id],
  })
  return rows.length > 0
}

export async function insertNode(db: SystemDatabase, id: string): Promise<void> {
  await db.query({
    name: 'insertRealtimeNode',
    text: 'INSERT INTO realtime_nodes (id) VALUES ($1)',
    values: [id],
  })
}

/** Notes who has come, or is back before they were gone; returns those who were not there. */
export async function insertPresences(
  db: SystemDatabase,
  node: string,
  presences: readonly Presence[],
): Promise<Presence[]> {
  const rows = await db.query<Presence & { is_new: boolean }>({
    name: 'insertRealtimePresences',
    // A row that this statement has made has no xmax.
    text: `INSERT INTO realtime_presence AS presence (node_id, org_id, channel, client_id, caller)
           SELECT $1::uuid, * FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[])
           ON CONFLICT (channel, client_id) DO UPDATE SET leaves_at = NULL WHERE presence.leaves_at IS NOT NULL
           RETURNING org_id AS org, channel, client_id AS client, caller, xmax = 0 AS is_new`,
    values: [
      node,
      presences.map(({ org }) => org),
      presences.map(({ channel }) => channel),
      presences.map(({ client }) => client),
      presences.map(({ caller }) => caller),
    ],
  })
  return rows.flatMap(({ is_new, ...presence }) => (is_new ? [presence] : []))
}

/** Lets somebody be there for some more milliseconds; with 0 they are gone at the next `deleteGone`. */
export async function endPresences(
  db: SystemDatabase,
  presences: readonly Pick<Presence, 'channel' | 'client'>[],
  delays: readonly number[],
): Promise<void> {
  await db.query({
    name: 'endRealtimePresences',
    text: `UPDATE realtime_presence AS presence
           SET leaves_at = date_trunc('milliseconds', clock_timestamp()) + ended.delay * interval '1 millisecond'
           FROM unnest($1::text[], $2::uuid[], $3::integer[]) AS ended (channel, client_id, delay)
           WHERE presence.channel = ended.channel AND presence.client_id = ended.client_id`,
    values: [presences.map(({ channel }) => channel), presences.map(({ client }) => client), delays],
  })
}

/**
 * Deletes who is gone, and the processes that are, with all who were there with them. Returns who that was.
 *
 * @param silence milliseconds without a sign of life after which a process is gone
 */
export function deleteGone(db: SystemDatabase, silence: number): Promise<Presence[]> {
  return db.query<Presence>({
    name: 'deleteGoneFromRealtime',
    text: `WITH gone AS (
             DELETE FROM realtime_nodes WHERE id IN (
               SELECT id FROM realtime_nodes WHERE seen_at < clock_timestamp() - $1 * interval '1 millisecond'
               FOR UPDATE SKIP LOCKED
             ) RETURNING id
           ), ended AS (
             SELECT channel, client_id FROM realtime_presence
             WHERE leaves_at <= clock_timestamp() OR node_id IN (SELECT id FROM gone)
             FOR UPDATE
           )
           DELETE FROM realtime_presence AS presence USING ended
           WHERE presence.channel = ended.channel AND presence.client_id = ended.client_id
           RETURNING presence.org_id AS org, presence.channel, presence.client_id AS client, presence.caller`,
    values: [silence],
  })
}

/** Returns how many are there in each of some channels, no more of each than are counted. */
export async function countPresences(
  db: SystemDatabase,
  channels: readonly string[],
  limit: number,
): Promise<Map<string, number>> {
  const rows = await db.query<{ channel: string; count: number }>({
    name: 'countRealtimePresences',
    text: `SELECT asked.channel, counted.count FROM unnest($1::text[]) AS asked (channel)
           CROSS JOIN LATERAL (
             SELECT count(*)::integer AS count
             FROM (SELECT FROM realtime_presence WHERE channel = asked.channel LIMIT $2) AS found
           ) AS counted`,
    values: [channels, limit],
  })
  return new Map(rows.map(({ channel, count }) => [channel, count]))
}

/** Returns who is there, those first who came first. */
export function selectPresences(
  db: SystemDatabase | OrgDatabase,
  channel: string,
  { silence, limit }: { readonly silence: number; readonly limit: number },
): Promise<Pick<Presence, 'client' | 'caller'>[]> {
  return db.query({
    name: 'selectRealtimePresences',
    text: `SELECT presence.client_id AS client, presence.caller
           FROM realtime_presence AS presence JOIN realtime_nodes AS node ON node.id = presence.node_id
           WHERE presence.channel = $1 AND node.seen_at > clock_timestamp() - $2 * interval '1 millisecond'
           ORDER BY presence.since, presence.client_id LIMIT $3`,
    values: [channel, silence, limit],
  })
}

/** How many connections are there, and of how many callers. */
export interface PresenceCount {
  readonly clients: number
  readonly callers: number
}

export async function selectPresenceCount(
  db: SystemDatabase | OrgDatabase,
  channel: string,
  silence: number,
): Promise<PresenceCount> {
  const rows = await db.query<PresenceCount>({
    name: 'selectRealtimePresenceCount',
    text: `SELECT count(*)::integer AS clients, count(DISTINCT presence.caller)::integer AS callers
           FROM realtime_presence AS presence JOIN realtime_nodes AS node ON node.id = presence.node_id
           WHERE presence.channel = $1 AND node.seen_at > clock_timestamp() - $2 * interval '1 millisecond'`,
    values: [channel, silence],
  })
  return onlyRow(rows)
}
