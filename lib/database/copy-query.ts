import pg from 'pg'

declare module 'pg' {
  interface Query {
    // Missing in @types/pg.
    handleCopyData(message: { readonly chunk: Buffer }): void
  }
}

/** COPY .. TO STDOUT: hands over each row's bytes as they come, which takes a tenth of the time that objects do. */
class CopyQuery extends pg.Query {
  readonly #onRow: (bytes: Buffer) => void
  #failure: unknown

  constructor(text: string, onRow: (bytes: Buffer) => void, done: (error?: unknown) => void) {
    super({ text }, (error: Error | undefined) => done(error ?? this.#failure))
    this.#onRow = onRow
  }

  override handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    if (this.#failure !== undefined) return
    try {
      this.#onRow(chunk)
    } catch (error) {
      // It must not end the connection's parser; the rest of the rows is read and dropped.
      this.#failure = error
    }
  }
}

/**
 * Runs a COPY .. TO STDOUT, which takes no values.
 *
 * @param onRow called with each message of the server; the bytes are valid until it returns
 */
export function copyOut(
  client: pg.ClientBase,
  text: string,
  onRow: (bytes: Buffer) => void,
): Promise<{ readonly rows: never[] }> {
  return new Promise((resolve, reject) => {
    client.query(new CopyQuery(text, onRow, (error) => (error ? reject(error) : resolve({ rows: [] }))))
  })
}
