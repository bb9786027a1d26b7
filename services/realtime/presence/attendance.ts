import { randomUUID } from 'node:crypto'
import type { Context, Log } from '#lib/context.ts'
import type { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'
import { pause } from '#lib/waiting/repeat.ts'
import { insertNotices, takeNumbers, wakeReaders } from '../queries.ts'
import { openStore } from '../store.ts'
import * as queries from './queries.ts'

export type { Presence, PresenceCount } from './queries.ts'

/** Most that are named of a channel; of a fuller one only the number is known, and nobody is told who comes and goes. */
const MAX_NAMED = 1000
/** Milliseconds for which somebody who was cut off is still there, so that a short loss of the network tells nobody. */
const RETURN_MS = 5000
const BEAT_INTERVAL_MS = 2000
/** After this long a process is gone: three beats that did not come, and some time for the way. */
const SILENCE_MS = 3 * BEAT_INTERVAL_MS + 1000
/** Milliseconds in which changes are collected, to be written together. */
const COLLECT_MS = 20
/** Changes that are written at once. */
const BATCH = 1000

/** A change that is to be written. */
interface Change {
  readonly presence: queries.Presence
  /** Milliseconds for which one who has left is still there; undefined for one who has come. */
  readonly leavesInMs: number | undefined
}

/**
 * Who listens to channels with presence, at this process and at all others. A table knows it; rows of a process that does
 * not live any more are deleted by the others, who tell so. A process that finds itself forgotten, as after a crash of
 * PostgreSQL, writes its rows again.
 */
export class Attendance {
  readonly #db: SystemDatabase
  readonly #warn: (error: unknown) => void
  /** A new one for each run of this: one that others have declared gone is not used again. */
  #node = randomUUID()
  /** All who are here, by channel and client. */
  readonly #here = new Map<string, queries.Presence>()
  #changes = new Map<string, Change>()
  readonly #stop = new AbortController()
  #wake = new AbortController()
  #running: Promise<void> | undefined
  #writing: Promise<void> | undefined
  #beatAt = Number.NEGATIVE_INFINITY

  constructor(db: Context['db'], log: Log) {
    this.#db = openStore(db)
    this.#warn = warnOfTrouble(log, 'could not write who is there in realtime; it is tried again')
  }

  /** Somebody has come. */
  join(presence: queries.Presence): void {
    const key = keyOf(presence)
    this.#here.set(key, presence)
    this.#note(key, { presence, leavesInMs: undefined })
  }

  /**
   * Somebody has left.
   *
   * @param mayReturn whether the connection was lost, and the client may come back soon
   */
  leave(channel: string, client: string, mayReturn: boolean): void {
    const key = keyOf({ channel, client })
    const presence = this.#here.get(key)
    if (presence === undefined) return
    this.#here.delete(key)
    this.#note(key, { presence, leavesInMs: mayReturn ? RETURN_MS : 0 })
  }

  /**
   * Returns who is there; of many, those who came first.
   *
   * @param db that of the organization, if one asks about its own channel
   */
  async list(
    channel: string,
    db: SystemDatabase | OrgDatabase = this.#db,
  ): Promise<Pick<queries.Presence, 'client' | 'caller'>[]> {
    await this.#write()
    return queries.selectPresences(db, channel, { silence: SILENCE_MS, limit: MAX_NAMED })
  }

  async count(channel: string, db: SystemDatabase | OrgDatabase = this.#db): Promise<queries.PresenceCount> {
    await this.#write()
    return queries.selectPresenceCount(db, channel, SILENCE_MS)
  }

  /** Writes what is left to be written; who is still here is gone when this process has been silent. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
    await this.#write().catch(this.#warn)
  }

  #note(key: string, change: Change): void {
    // The last one counts. Leaving is written even after a coming that was not: the one who came back may be there still.
    this.#changes.set(key, change)
    this.#running ??= this.#run()
    this.#wake.abort()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      this.#wake = new AbortController()
      if (this.#changes.size === 0) {
        // Nobody here hears who is gone, and there is nobody of whom others should know.
        const isIdle = this.#here.size === 0
        await pause(BEAT_INTERVAL_MS * (isIdle ? 10 : 1), AbortSignal.any([signal, this.#wake.signal]))
      }
      await pause(COLLECT_MS, signal)
      try {
        await this.#write()
      } catch (error) {
        this.#warn(error)
        await pause(BEAT_INTERVAL_MS, signal)
      }
    }
  }

  get #isDue(): boolean {
    return (
      this.#changes.size > 0 || (this.#here.size > 0 && performance.now() - this.#beatAt >= BEAT_INTERVAL_MS)
    )
  }

  /** Writes all changes so far, those that are being written included; several callers share one write. */
  async #write(): Promise<void> {
    while (this.#writing !== undefined || this.#isDue) {
      this.#writing ??= this.#writeBatch().finally(() => {
        this.#writing = undefined
      })
      await this.#writing
    }
  }

  async #writeBatch(): Promise<void> {
    const batch = [...this.#changes].slice(0, BATCH)
    for (const [key] of batch) this.#changes.delete(key)
    try {
      await this.#store(batch.map(([, change]) => change))
      this.#beatAt = performance.now()
    } catch (error) {
      // What came after is newer.
      this.#changes = new Map([...batch, ...this.#changes])
      throw error
    }
  }

  async #store(changes: readonly Change[]): Promise<void> {
    const leaving = changes.filter(({ leavesInMs }) => leavesInMs !== undefined)
    let node = this.#node
    await this.#db.transaction(async (db) => {
      let coming = changes.flatMap((change) => (change.leavesInMs === undefined ? [change.presence] : []))
      if (!(await queries.updateNode(db, node))) {
        node = randomUUID()
        await queries.insertNode(db, node)
        coming = [...this.#here.values()]
      }
      const joined = coming.length > 0 ? await queries.insertPresences(db, node, coming) : []
      if (leaving.length > 0) {
        const delays = leaving.map(({ leavesInMs = 0 }) => leavesInMs)
        await queries.endPresences(
          db,
          leaving.map(({ presence }) => presence),
          delays,
        )
      }
      const left = await queries.deleteGone(db, SILENCE_MS)
      await tell(db, joined, left)
    })
    this.#node = node
  }
}

const keyOf = ({ channel, client }: Pick<queries.Presence, 'channel' | 'client'>) => `${channel} ${client}`

/** Tells who has come and who is gone, on channels that are not too full for it. */
async function tell(
  db: SystemDatabase,
  joined: readonly queries.Presence[],
  left: readonly queries.Presence[],
): Promise<void> {
  if (joined.length + left.length === 0) return
  const channels = new Set([...joined, ...left].map(({ channel }) => channel))
  const counts = await queries.countPresences(db, [...channels], MAX_NAMED + 1)
  const notices = [
    ...joined.map((one) => noticeOf('join', one)),
    ...left.map((one) => noticeOf('leave', one)),
  ].filter(({ channel }) => (counts.get(channel) ?? 0) <= MAX_NAMED)
  if (notices.length === 0) return
  const first = await takeNumbers(db, notices.length)
  await insertNotices(
    db,
    notices.map((notice, index) => ({ ...notice, seq: first + index })),
  )
  await wakeReaders(db)
}

function noticeOf(kind: 'join' | 'leave', { org, channel, client, caller }: queries.Presence) {
  return { org, channel, data: JSON.stringify({ [kind]: { info: { user: caller, client } } }) }
}
