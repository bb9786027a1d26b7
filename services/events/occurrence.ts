import type { ActingParty } from '#lib/context.ts'

/** Something that happened, as it is recorded. */
export interface Occurrence {
  /** UUIDv7. */
  readonly id: string
  /** Null for what happens to people and to the service as a whole. */
  readonly org: string | null
  readonly type: string
  readonly version: number
  readonly subject: { readonly type: string; readonly id: string }
  readonly actor: ActingParty
  readonly requestId: string | null
  readonly client: {
    readonly ip: string
    readonly userAgent: string | null
    readonly reason?: string
    readonly impersonator?: string | undefined
  }
  readonly data: object
  /** The one person who is told of it, and nobody else; null for everybody whose business it is. */
  readonly toldTo: string | null
  /** Marks what is written of it as the service's own. */
  readonly mark: (bytes: Buffer) => Buffer
}

/** Writes a row for each occurrence, in the statement that changes the data. */
export interface Recorder {
  /** `INSERT INTO table (columns)`, on one line: names its own table only. */
  readonly insert: string
  /** SQL types of the columns. */
  readonly types: readonly string[]
  /** Values of the columns. */
  valuesOf(occurrence: Occurrence): unknown[]
}
