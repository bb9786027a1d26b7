import type pg from 'pg'
import { JsonQuery } from './json-query.ts'
import { type Callback, type Part, PrecededQuery } from './preceded-query.ts'
import { type Scope, SET_SCOPE, scopeValues } from './scope.ts'
import { prepares } from './session.ts'

/** Parts that precede a statement, and the form in which its rows come back. */
export interface Sending {
  /** Whose rows the statement sees. */
  readonly scope?: Scope | undefined
  /** Begins a transaction, and is called when PostgreSQL has. */
  readonly onBegin?: (() => void) | undefined
  /** The columns that may be shown, where rows come back as JSON (`JsonRow`). */
  readonly json?: readonly string[] | undefined
}

/** Sends a statement over a connection, with what precedes it, if anything does. */
export function send<Row extends object>(
  client: pg.ClientBase,
  config: pg.QueryConfig,
  preceding: Sending = {},
): Promise<pg.QueryResult<Row>> {
  const parts = partsOf(preceding)
  const { json } = preceding
  if (parts.length === 0 && json === undefined) return client.query<Row>(config)
  const { promise, resolve, reject } = Promise.withResolvers<pg.QueryResult<Row>>()
  const callback: Callback = (error, result) => {
    if (error) reject(error)
    else resolve(result)
  }
  client.query(
    json === undefined
      ? new PrecededQuery(config, parts, prepares(client), callback)
      : new JsonQuery(config, parts, prepares(client), callback, json),
  )
  return promise
}

function partsOf({ scope, onBegin }: Sending): Part[] {
  const parts: Part[] = []
  if (onBegin !== undefined) parts.push({ name: 'begin', text: 'BEGIN', onComplete: onBegin })
  if (scope !== undefined) parts.push({ name: 'setScope', text: SET_SCOPE, values: scopeValues(scope) })
  return parts
}
