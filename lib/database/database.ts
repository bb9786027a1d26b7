import type { Scope } from './scope.ts'

/** One SQL statement. */
export interface Statement {
  /** Names the statement in metrics and as a prepared statement, so it must come from a closed set. */
  readonly name: string
  readonly text: string
  readonly values?: readonly unknown[]
  /**
   * Sends it over the one connection that many requests share (docs/architecture.md). Only for reads by a
   * unique key: a slow statement would hold up those behind it.
   */
  readonly pipelined?: boolean
  /** False for text that varies under one name: it is not prepared, and the name is for metrics alone. */
  readonly prepare?: boolean
  /**
   * For COPY .. TO STDOUT: is called with the bytes of each message, which are valid until it returns. In a transaction
   * whose scope an earlier statement has set, and without values.
   */
  readonly onCopied?: (bytes: Buffer) => void
  /** Whose rows of tenant tables it may see; set by the database that an organization's context has. */
  readonly scope?: Scope
  /** Whether it writes events, of which the observer is told once they are committed. */
  readonly emits?: boolean
  /**
   * For lists: the columns that may be shown, those of the response's schema. Each row is a `JsonRow` then, which costs a
   * third (decision 074). Not together with `pipelined`.
   */
  readonly json?: readonly string[]
}

/** PostgreSQL as queries see it: the pool, or the connection of a transaction. */
export interface Database {
  /**
   * Runs a statement and returns its rows.
   *
   * @throws DatabaseUnavailable when there is no answer; the driver's DatabaseError for what SQL refuses
   */
  query<Row extends object>(statement: Statement): Promise<Row[]>
  /**
   * Runs `work` in a transaction, or in the one that is open: commits when it resolves, rolls back when it
   * rejects. Up to three times in all when the whole of it is undone by a deadlock or a serialization failure,
   * so what `work` does outside the database must be safe to repeat.
   */
  transaction<T>(work: (db: Database) => Promise<T>): Promise<T>
}

/** Runs `work` with a copy of the context whose database is a transaction. */
export function transaction<C extends { db: Database }, T>(ctx: C, work: (ctx: C) => Promise<T>): Promise<T> {
  return ctx.db.transaction((db) => work({ ...ctx, db }))
}
