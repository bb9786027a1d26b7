import type { Ending } from './protocol.ts'

/** The way on which frames reach a client. */
export interface Connection {
  send(frame: string | Buffer): void
  /** Bytes that the client has not taken yet. */
  readonly waiting: number
  close(why: Ending): void
}
