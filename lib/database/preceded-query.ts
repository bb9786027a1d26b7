import pg from 'pg'

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

export type Callback = (error: Error | undefined, result: pg.ResultBuilder) => void

/** A command that is executed before the statement; its rows are not read. */
export interface Part {
  readonly name: string
  readonly text: string
  readonly values?: string[]
  /** Called when the server has executed it. */
  readonly onComplete?: (() => void) | undefined
}

/**
 * A statement with what must precede it: BEGIN, its scope, or both. All of it is sent before one Sync, after which
 * PostgreSQL skips everything that follows an error
 * (https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-PIPELINING): where BEGIN fails the statement does
 * not become a transaction of its own, and no statement is run without its scope. Outside a transaction the parts and
 * the statement are one. So none of it costs a round trip, and nobody else's statement can come between on a shared
 * connection. BEGIN, set_config, the statement and COMMIT in one write took more than twice the processor time.
 */
export class PrecededQuery extends pg.Query {
  readonly #statement: { name: string | undefined; text: string }
  /** Those that the server has not answered. */
  readonly #parts: Part[]
  readonly #isNamed: boolean

  constructor(config: pg.QueryConfig, parts: Part[], isNamed: boolean, callback: Callback) {
    super(config, callback)
    this.#statement = { name: config.name, text: config.text }
    this.#parts = parts
    this.#isNamed = isNamed
  }

  override requiresPreparation(): boolean {
    return true
  }

  override prepare(connection: pg.Connection): void {
    for (const part of this.#parts) this.#send(part, connection)
    super.prepare(connection)
    this.#answersForNext()
  }

  override handleCommandComplete(message: object, connection: pg.Connection): void {
    const part = this.#parts.shift()
    if (part === undefined) {
      super.handleCommandComplete(message, connection)
      return
    }
    part.onComplete?.()
    this.#answersForNext()
  }

  override handleError(error: Error, connection: pg.Connection): void {
    // The server skipped what follows the one that failed, so it was not parsed. The driver sees to that one itself.
    for (const { name } of [...this.#parts, this.#statement].slice(1)) {
      if (name !== undefined) delete connection.submittedNamedStatements[name]
    }
    super.handleError(error, connection)
  }

  #send({ name: ownName, text, values = [] }: Part, connection: pg.Connection): void {
    const name = this.#isNamed ? ownName : ''
    const { parsedStatements, submittedNamedStatements } = connection
    if (parsedStatements[name] === undefined && submittedNamedStatements[name] === undefined) {
      connection.parse({ name, text, types: [] }, true)
      if (name !== '') submittedNamedStatements[name] = text
    }
    connection.bind({ statement: name, values }, true)
    connection.execute({}, true)
  }

  /** The driver books what was parsed under the name that it finds here when the server says so. */
  #answersForNext(): void {
    const [part] = this.#parts
    const name = part === undefined ? this.#statement.name : this.#isNamed ? part.name : undefined
    if (name === undefined) delete this.name
    else this.name = name
    this.text = part?.text ?? this.#statement.text
  }
}
