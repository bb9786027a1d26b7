import type { ClientBase, QueryResult } from 'pg'
import { copyOut } from './copy-query.ts'
import type { Statement } from './database.ts'
import { databaseError } from './errors.ts'
import { Pipeline } from './pipeline.ts'
import { type Sending, send } from './send.ts'
import { prepares } from './session.ts'
import type { Watch } from './watch.ts'

/** Is told what the database does; times are in seconds. */
export interface DatabaseObserver {
  queried(statement: string, seconds: number): void
  waited(seconds: number): void
  /** A transaction, or a single statement, is retried; `state` is the SQLSTATE of what undid it. */
  repeated(state: string): void
  /** A statement is cancelled, for its caller has left. */
  cancelled(): void
  /** Events are committed. */
  emitted?(): void
  /** Runs a statement's way to the server and back in a span; absent while traces are off. */
  readonly trace?: (<T>(statement: string, work: () => Promise<T>) => Promise<T>) | undefined
}

/**
 * Runs a statement on a connection, watched if it is to be cancelled when its caller leaves. With `onBegin` it begins a
 * transaction.
 */
export async function run<Row extends object>(
  connection: ClientBase | Pipeline,
  { name, text, values = [], prepare = true, scope, json, onCopied }: Statement,
  observer: DatabaseObserver,
  { watch, onBegin }: { watch?: Watch | undefined; onBegin?: Sending['onBegin'] } = {},
): Promise<Row[]> {
  const named = prepare && prepares(connection) ? { name } : {}
  const config = { ...named, text, values: [...values] }
  const ask = (): Promise<Pick<QueryResult<Row>, 'rows'>> => {
    if (connection instanceof Pipeline) return connection.query<Row>(config, scope)
    if (onCopied === undefined) return send<Row>(connection, config, { scope, onBegin, json })
    if (scope !== undefined || onBegin !== undefined)
      throw new Error(`${name} must not be a transaction's first`)
    return copyOut(connection, text, onCopied)
  }
  const start = performance.now()
  try {
    const watched = watch ? () => watch.run(ask) : ask
    const result = await (observer.trace ? observer.trace(name, watched) : watched())
    return result.rows
  } catch (error) {
    throw databaseError(error)
    /* c8 ignore next -- V8 counts a branch that does not exist: after the catch. */
  } finally {
    observer.queried(name, (performance.now() - start) / 1000)
  }
}
