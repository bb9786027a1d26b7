import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../database.ts'
import type { Position } from './primary-position.ts'

/** The state of a server, in its own words. */
export interface Sight {
  readonly is_standby: boolean
  /** Whether it has all that the primary had at the position. */
  readonly is_current: boolean
  /** When the primary made the last commit that it has. */
  readonly replayed_at: string | null
}

const LONGEST_PAUSE_MS = 10

/**
 * Asks a server how far it is. A place in the log is not enough after a failover: a standby that the new primary has
 * left behind may be further in a log that is no longer anybody's, so it must have a commit of this primary too.
 */
async function look(
  db: Pick<Database, 'query'>,
  { lsn, since }: Position,
  pipelined: boolean,
): Promise<Sight> {
  const [sight] = await db.query<Sight>({
    name: 'checkReplica',
    text: `SELECT is_standby, replayed_at,
             coalesce(is_standby AND lsn >= $1::pg_lsn AND replayed_at > $2::timestamptz, false) AS is_current
           FROM (SELECT pg_is_in_recovery() AS is_standby, pg_last_wal_replay_lsn() AS lsn,
                        pg_last_xact_replay_timestamp() AS replayed_at) AS standby`,
    values: [lsn, since],
    pipelined,
  })
  if (sight === undefined) throw new Error('the replica says nothing of itself')
  return sight
}

interface LookOptions {
  /** By `performance.now()`: until then it is asked again. */
  readonly deadline?: number
  readonly pipelined?: boolean
}

/** Asks until a standby has reached the position or the time is over, and returns what it said last, and how often. */
export async function awaitPosition(
  db: Pick<Database, 'query'>,
  position: Position,
  { deadline = 0, pipelined = false }: LookOptions = {},
): Promise<Sight & { readonly looks: number }> {
  for (let looks = 1, wait = 1; ; looks++, wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
    const sight = await look(db, position, pipelined)
    const isDecided = sight.is_current || !sight.is_standby
    if (isDecided || performance.now() + wait > deadline) return { ...sight, looks }
    await sleep(wait)
  }
}
