import type pg from 'pg'
import { type Column, JsonRowWriter } from './json-row.ts'
import { type Callback, type Part, PrecededQuery } from './preceded-query.ts'
import type { RawRow } from './raw-rows.ts'

declare module 'pg' {
  interface Query {
    // Missing in @types/pg: the rows so far, and why the rest is not read.
    _result: pg.ResultBuilder
    _canceledDueToError: unknown
    handleRowDescription(message: { fields: readonly Column[] }): void
    handleDataRow(message: object): void
  }
}

/** A row as the text of a JSON object. */
export interface JsonRow {
  readonly json: string
}

/** A statement whose rows are written as JSON, without becoming objects. Its connection keeps rows raw. */
export class JsonQuery extends PrecededQuery {
  readonly #shown: readonly string[]
  #writer: JsonRowWriter | undefined

  /** @param shown the columns that may be shown */
  constructor(
    config: pg.QueryConfig,
    parts: Part[],
    isNamed: boolean,
    callback: Callback,
    shown: readonly string[],
  ) {
    super(config, parts, isNamed, callback)
    this.#shown = shown
  }

  override handleRowDescription({ fields }: { fields: readonly Column[] }): void {
    this.#attempt(() => {
      this.#writer = new JsonRowWriter(fields, this.#shown)
    })
  }

  override handleDataRow(row: RawRow): void {
    if (this._canceledDueToError) return
    this.#attempt(() => {
      if (this.#writer !== undefined) this._result.addRow({ json: this.#writer.write(row) })
    })
  }

  /** As the driver does it: what is thrown here fails the statement once the server has answered all of it. */
  #attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      this._canceledDueToError = error
    }
  }
}
