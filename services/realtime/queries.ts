import { onlyRow } from '#lib/database/only-row.ts'
import type { SystemDatabase } from '#lib/database/scoped-database.ts'

/** A message of a channel. */
export interface StoredMessage {
  readonly channel: string
  /** Counts the messages of the channel; null for one that is told only to those who are there. */
  readonly offset: number | null
  /** JSON. */
  readonly data: string
}

export interface NewMessage extends StoredMessage {
  readonly org: string | null
  readonly seq: number
  readonly offset: number
}

/** Something that is told only to those who are there. */
export type NewNotice = Pick<NewMessage, 'channel' | 'org' | 'seq' | 'data'>

/** Reserves numbers for messages; no other transaction gets any until this one ends. Returns the first. */
export async function takeNumbers(db: SystemDatabase, count: number): Promise<number> {
  const rows = await db.query<{ first: number }>({
    name: 'takeRealtimeNumbers',
    text: `INSERT INTO realtime_state AS state (last_seq) VALUES ($1)
           ON CONFLICT (is_only) DO UPDATE SET last_seq = state.last_seq + $1
           RETURNING (last_seq - $1 + 1)::float8 AS first`,
    values: [count],
  })
  return onlyRow(rows).first
}

export async function selectTops(db: SystemDatabase, names: readonly string[]): Promise<Map<string, number>> {
  const rows = await db.query<{ name: string; top: number }>({
    name: 'selectRealtimeTops',
    text: 'SELECT name, top_offset::float8 AS top FROM realtime_channels WHERE name = ANY ($1)',
    values: [names],
  })
  return new Map(rows.map(({ name, top }) => [name, top]))
}

/** Stores what is told to those who are there. */
export async function insertNotices(db: SystemDatabase, notices: readonly NewNotice[]): Promise<void> {
  await db.query({
    name: 'insertRealtimeNotices',
    text: `INSERT INTO realtime_messages (org_id, seq, channel, data)
           SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[])`,
    values: [
      notices.map(({ org }) => org),
      notices.map(({ seq }) => seq),
      notices.map(({ channel }) => channel),
      notices.map(({ data }) => data),
    ],
  })
}

/** Stores messages, the last of each channel last, and where their channels are then. */
export async function insertMessages(db: SystemDatabase, messages: readonly NewMessage[]): Promise<void> {
  const tops = new Map(messages.map((message) => [message.channel, message]))
  const values = [...tops.values()]
  await Promise.all([
    db.query({
      name: 'upsertRealtimeChannels',
      text: `INSERT INTO realtime_channels (org_id, name, top_offset)
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[])
             ON CONFLICT (name) DO UPDATE SET top_offset = excluded.top_offset, touched_at = now()`,
      values: [
        values.map(({ org }) => org),
        values.map(({ channel }) => channel),
        values.map(({ offset }) => offset),
      ],
    }),
    db.query({
      name: 'insertRealtimeMessages',
      text: `INSERT INTO realtime_messages (org_id, seq, channel, position, data)
             SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::text[])`,
      values: [
        messages.map(({ org }) => org),
        messages.map(({ seq }) => seq),
        messages.map(({ channel }) => channel),
        messages.map(({ offset }) => offset),
        messages.map(({ data }) => data),
      ],
    }),
  ])
}

/** Wakes the readers of all instances when the transaction commits. Only the relay calls it, once for each batch. */
export async function wakeReaders(db: SystemDatabase): Promise<void> {
  await db.query({ name: 'wakeRealtime', text: "SELECT pg_notify('realtime', '')" })
}

/** Where all channels together are. */
export interface State {
  readonly epoch: string
  readonly last_seq: number
}

/** Returns the state, which is created where a crash has left none. */
export async function openState(db: SystemDatabase): Promise<State> {
  const select = () =>
    db.query<State>({
      name: 'selectRealtimeState',
      text: 'SELECT epoch, last_seq::float8 AS last_seq FROM realtime_state',
    })
  const [state] = await select()
  if (state) return state
  await db.query({
    name: 'insertRealtimeState',
    text: 'INSERT INTO realtime_state DEFAULT VALUES ON CONFLICT DO NOTHING',
  })
  const [created] = await select()
  if (created === undefined) throw new Error('realtime has no state')
  return created
}

export interface Read extends State {
  readonly messages: readonly (StoredMessage & { readonly seq: number })[]
}

/** Returns the messages after a number, oldest first, and the state of the same moment; undefined without a state. */
export async function selectMessages(
  db: SystemDatabase,
  after: number,
  limit: number,
): Promise<Read | undefined> {
  const rows = await db.query<State & StoredMessage & { seq: number | null }>({
    name: 'selectRealtimeMessages',
    text: `SELECT state.epoch, state.last_seq::float8 AS last_seq, message.seq::float8 AS seq, message.channel,
                  message.position::float8 AS "offset", message.data
           FROM realtime_state AS state LEFT JOIN LATERAL (
             SELECT seq, channel, position, data FROM realtime_messages WHERE seq > $1 ORDER BY seq LIMIT $2
           ) AS message ON true ORDER BY message.seq`,
    values: [after, limit],
  })
  const [first] = rows
  if (first === undefined) return undefined
  const messages = rows.flatMap(({ seq, channel, offset, data }) =>
    seq === null ? [] : [{ seq, channel, offset, data }],
  )
  return { epoch: first.epoch, last_seq: first.last_seq, messages }
}

/** Where a channel is, and what it told after an offset. */
export interface ChannelState {
  readonly epoch: string
  readonly top: number
  readonly messages: readonly { readonly offset: number; readonly data: string }[]
}

/**
 * Returns a channel's state, with the messages after an offset, oldest first, of the newest `limit`; undefined for one
 * that nobody has listened to, or that told nothing.
 */
export async function selectChannel(
  db: SystemDatabase,
  name: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<ChannelState | undefined> {
  const rows = await db.query<{ epoch: string; top: number; offset: number | null; data: string }>({
    name: 'selectRealtimeChannel',
    text: `SELECT state.epoch, channel.top_offset::float8 AS top, message.position::float8 AS "offset", message.data
           FROM realtime_state AS state JOIN realtime_channels AS channel ON channel.name = $1 LEFT JOIN LATERAL (
             SELECT position, data FROM realtime_messages
             WHERE channel = $1 AND position > greatest($2, channel.top_offset - $3)
           ) AS message ON true ORDER BY message.position`,
    values: [name, after, limit],
  })
  const [first] = rows
  if (first === undefined) return undefined
  const messages = rows.flatMap(({ offset, data }) => (offset === null ? [] : [{ offset, data }]))
  return { epoch: first.epoch, top: first.top, messages }
}

/** Whether somebody listens to a channel with presence, on which nothing was told for some milliseconds. */
export async function selectIsDue(db: SystemDatabase, name: string, silenceMs: number): Promise<boolean> {
  const rows = await db.query<{ is_due: boolean }>({
    name: 'selectRealtimeIsDue',
    text: `SELECT EXISTS (SELECT FROM realtime_presence WHERE channel = $1)
             AND NOT EXISTS (
               SELECT FROM realtime_channels
               WHERE name = $1 AND touched_at > clock_timestamp() - $2 * interval '1 millisecond'
             ) AS is_due`,
    values: [name, silenceMs],
  })
  return rows[0]?.is_due === true
}

/** Makes a channel begin where all channels are now, unless it has begun. */
export async function beginChannel(db: SystemDatabase, name: string, org: string | null): Promise<void> {
  await db.query({
    name: 'beginRealtimeChannel',
    text: `INSERT INTO realtime_channels (org_id, name, top_offset)
           SELECT $2, $1, last_seq FROM realtime_state ON CONFLICT DO NOTHING`,
    values: [name, org],
  })
}
