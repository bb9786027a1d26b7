import pg from 'pg'
import { type Scope, SET_SCOPE, scopeValues } from './scope.ts'
import { prepares } from './session.ts'

declare module 'pg' {
  interface Connection {
    // Missing in @types/pg: statements that were prepared by name, and those that are about to be, with their texts.
    readonly parsedStatements: Record<string, string>
    readonly submittedNamedStatements: Record<string, string>
  }
  interface Query {
    // Missing in @types/pg.
    name?: string
    text: string
    requiresPreparation(): boolean
    prepare(connection: Connection): void
    handleCommandComplete(message: object, connection: Connection): void
    handleError(error: Error, connection: Connection): void
  }
}

type Callback = (error: Error | undefined, result: pg.ResultBuilder) => void

const NAME = 'setScope'

/**
 * A statement with its scope: the scope is set and the statement run before one Sync, which makes them one transaction,
 * or a part of the one that is open (https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-PIPELINING).
 * So it costs no round trip, nobody else's statement can come between on a shared connection, and it ends with the
 * transaction. BEGIN, set_config, the statement and COMMIT in one write took more than twice the processor time.
 */
class ScopedQuery extends pg.Query {
  readonly #scope: Scope
  readonly #statement: { name: string | undefined; text: string }
  readonly #setterName: string | undefined
  /** The server has not answered the first part. */
  #isSetting = true

  constructor(config: pg.QueryConfig, scope: Scope, setterName: string | undefined, callback: Callback) {
    super(config, callback)
    this.#scope = scope
    this.#statement = { name: config.name, text: config.text }
    this.#setterName = setterName
  }

  override requiresPreparation(): boolean {
    return true
  }

  override prepare(connection: pg.Connection): void {
    const name = this.#setterName ?? ''
    const { parsedStatements, submittedNamedStatements } = connection
    const isKnown = parsedStatements[name] !== undefined || submittedNamedStatements[name] !== undefined
    if (!isKnown) {
      connection.parse({ name, text: SET_SCOPE, types: [] }, true)
      if (name !== '') submittedNamedStatements[name] = SET_SCOPE
    }
    connection.bind({ statement: name, values: scopeValues(this.#scope) }, true)
    connection.execute({}, true)
    super.prepare(connection)
    // The driver books what was parsed under the name that it finds here when the server says so.
    if (!isKnown) this.#answersFor({ name: this.#setterName, text: SET_SCOPE })
  }

  override handleCommandComplete(message: object, connection: pg.Connection): void {
    if (!this.#isSetting) {
      super.handleCommandComplete(message, connection)
      return
    }
    this.#isSetting = false
    this.#answersFor(this.#statement)
  }

  override handleError(error: Error, connection: pg.Connection): void {
    const { name } = this.#statement
    // The server skipped the statement itself, so it was not parsed.
    if (this.#isSetting && name !== undefined) delete connection.submittedNamedStatements[name]
    super.handleError(error, connection)
  }

  #answersFor({ name, text }: { name: string | undefined; text: string }): void {
    if (name === undefined) delete this.name
    else this.name = name
    this.text = text
  }
}

/** Sends a statement over a connection, with its scope if it has one. */
export function send<Row extends object>(
  client: pg.ClientBase,
  config: pg.QueryConfig,
  scope?: Scope,
): Promise<pg.QueryResult<Row>> {
  if (scope === undefined) return client.query<Row>(config)
  const { promise, resolve, reject } = Promise.withResolvers<pg.QueryResult<Row>>()
  const setterName = prepares(client) ? NAME : undefined
  client.query(
    new ScopedQuery(config, scope, setterName, (error, result) => (error ? reject(error) : resolve(result))),
  )
  return promise
}
