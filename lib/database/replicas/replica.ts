import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { BackOff } from '#lib/waiting/back-off.ts'
import { answerWithin } from '#lib/waiting/patience.ts'
import { pause } from '#lib/waiting/repeat.ts'
import type { Caller } from '../caller.ts'
import type { Database, Statement } from '../database.ts'
import { breaksConnection, DatabaseUnavailable, unavailable } from '../errors.ts'
import { PoolDatabase } from '../pool-database.ts'
import type { DatabaseObserver } from '../run.ts'
import { type ConnectionOptions, Session } from '../session.ts'
import { types } from '../types.ts'
import type { Position, PrimaryPosition } from './primary-position.ts'
import { awaitPosition } from './sight.ts'

/** `behind`: it has not reached the primary's position in time. `not_standby`: it was promoted, or is the primary. */
export const REPLICA_STATES = ['up', 'behind', 'down', 'not_standby'] as const
export type ReplicaState = (typeof REPLICA_STATES)[number]

export interface ReplicaOptions {
  readonly connection: ConnectionOptions
  readonly maxConnections: number
  /** Milliseconds after which an unused connection is closed. */
  readonly idleTimeout: number
  /** Milliseconds in which it must reach a position to count as up. */
  readonly patience: number
  readonly position: Pick<PrimaryPosition, 'read'>
  readonly observer: DatabaseObserver
  /** Called when its state changes; it has none before it was first looked at. `error` says why it is down. */
  changed(replica: Replica, previous: ReplicaState | undefined, error?: unknown): void
}

/** The replica did not reach the position in time. */
export class ReplicaBehind extends Error {}

const BEAT_INTERVAL_MS = 500
/** After this long without an answer it is down, and nobody waits for it any more. */
const BEAT_TIMEOUT_MS = 1000
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 8000
/** Milliseconds that the end waits for connections that hang. */
const CLOSE_TIMEOUT_MS = 1000

/** One replica: its connections, and what is known of it. Reads happen on the connection that showed how far it is. */
export class Replica {
  /** Its host and port, for people and metrics. */
  readonly name: string
  readonly #options: ReplicaOptions
  readonly #pool: pg.Pool
  readonly #db: PoolDatabase
  readonly #stop = new AbortController()
  readonly #backOff = new BackOff(FIRST_RETRY_MS, LAST_RETRY_MS)
  /** Ends each read that is under way. */
  readonly #reads = new Set<(reason: unknown) => void>()
  #running: Promise<void> | undefined
  /** Undefined until it was first looked at. */
  #state: ReplicaState | undefined
  #lagSeconds: number | undefined
  /** Whether it had reached the position when it was last asked; if not, a read is not sent along with the question. */
  #isPrompt = true

  constructor(options: ReplicaOptions) {
    const { connection, maxConnections, idleTimeout, observer } = options
    this.name = connection.host.startsWith('/') ? connection.host : `${connection.host}:${connection.port}`
    this.#options = options
    this.#pool = new pg.Pool({
      Client: class extends Session {
        constructor() {
          super(connection, { pipeline: true, types })
        }
      },
      max: maxConnections,
      idleTimeoutMillis: idleTimeout,
      connectionTimeoutMillis: connection.connectionTimeoutMillis,
    })
    // An idle connection that dies: the beat notices what it means.
    this.#pool.on('error', () => undefined)
    // What is lost here is read from the primary. Nor is there a queue that it could not join.
    this.#db = new PoolDatabase(this.#pool, observer, { maxAttempts: 1, maxWaiting: maxConnections })
  }

  get state(): ReplicaState {
    return this.#state ?? 'down'
  }

  /** Seconds since the primary made the last commit that it has; 0 if none is missing, undefined while it is unknown. */
  get lagSeconds(): number | undefined {
    return this.#lagSeconds
  }

  /** Reads under way. */
  get load(): number {
    return this.#reads.size
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
    const ended = this.#db.close().then(() => this.#pool.end())
    await Promise.race([ended, sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })])
  }

  /**
   * Runs a statement that only reads, once the replica has reached the position.
   *
   * @param deadline by `performance.now()`
   * @throws ReplicaBehind, or as `Database.query` does
   */
  async query<Row extends object>(
    statement: Statement,
    position: Position,
    deadline: number,
    caller: Caller | undefined,
  ): Promise<Row[]> {
    try {
      return await this.#whileUp(
        // The statement sees what was replayed when it begins, after the question; in a transaction too, as it is READ
        // COMMITTED.
        this.#db.onOneServer((db) => this.#read<Row>(db, statement, position, deadline), caller),
      )
    } catch (error) {
      if (isLost(error)) this.#become('down', error)
      throw error
    }
  }

  async #read<Row extends object>(
    db: Pick<Database, 'query'>,
    statement: Statement,
    position: Position,
    deadline: number,
  ): Promise<Row[]> {
    if (this.#isPrompt) {
      const [seen, read] = await Promise.allSettled([awaitPosition(db, position), db.query<Row>(statement)])
      if (settled(seen).is_current) return settled(read)
    }
    const { is_current, looks } = await awaitPosition(db, position, { deadline })
    this.#isPrompt = is_current && looks === 1
    if (!is_current) throw new ReplicaBehind(`${this.name} has not reached the primary's position`)
    return db.query<Row>(statement)
  }

  /** A read that ends with the replica: what was sent to a server that hangs is not waited for. */
  #whileUp<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reads.add(reject)
      const done = () => this.#reads.delete(reject)
      work.finally(done).then(resolve, reject)
    })
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#beat()
      await pause(this.state === 'down' ? this.#backOff.next() : BEAT_INTERVAL_MS, signal)
    }
  }

  async #beat(): Promise<void> {
    const { patience } = this.#options
    // Without the primary nothing is read here, and so nothing need be known.
    const position = await this.#options.position.read().catch(() => undefined)
    if (position === undefined) return
    try {
      const deadline = performance.now() + patience
      const seen = awaitPosition(this.#db, position, { deadline, pipelined: true })
      const { is_current, is_standby, replayed_at, looks } = await answerWithin(
        seen,
        BEAT_TIMEOUT_MS + patience,
      )
      this.#isPrompt = is_current && looks === 1
      this.#lagSeconds = is_current ? 0 : lag(position, replayed_at)
      this.#backOff.reset()
      this.#become(is_current ? 'up' : is_standby ? 'behind' : 'not_standby')
    } catch (error) {
      this.#become('down', error)
    }
  }

  #become(state: ReplicaState, error?: unknown): void {
    if (state === 'down') {
      this.#lagSeconds = undefined
      for (const end of this.#reads) end(unavailable(new Error(`the replica ${this.name} is down`)))
    }
    if (state === this.#state || this.#stop.signal.aborted) return
    const previous = this.#state
    this.#state = state
    this.#options.changed(this, previous, error)
  }
}

function settled<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason
  return result.value
}

/** Seconds since the commit that a replica has replayed last, by the primary's clock. */
function lag({ now }: Position, replayedAt: string | null): number | undefined {
  return replayedAt === null ? undefined : Math.max(0, (now - Date.parse(replayedAt)) / 1000)
}

/** Whether the server is gone, and not only the connection or the statement. */
function isLost(error: unknown): boolean {
  if (!(error instanceof DatabaseUnavailable)) return false
  const { cause } = error
  return cause instanceof pg.DatabaseError ? /^(?:08|57P)/.test(cause.code ?? '') : breaksConnection(cause)
}
