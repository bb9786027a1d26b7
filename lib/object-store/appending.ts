/** How much of an unfinished object is durable. */
export interface Progress {
  /** Bytes from its beginning. */
  readonly offset: number
  /** Whatever its store needs to go on: JSON, and nobody else's business. */
  readonly state: object | null
}

export const NOTHING: Progress = { offset: 0, state: null }

/**
 * Adds bytes to an object that is not finished. Only one at a time may add to an object, which is for the caller to see to
 * (services/storage/appending.ts). Bytes after the last `Progress` that it returned may be lost.
 */
export interface Appending {
  /** Takes a piece, which nobody else uses afterwards. Mostly there is nothing to wait for. */
  write(piece: Uint8Array): Promise<void> | undefined
  /** Makes durable what costs little, also while `write` is under way. It never returns less than before. */
  sync(): Promise<Progress>
  /**
   * Whether `settle` puts something in the place of what the last progress needs. Then what `sync` returns must be noted
   * before, or a crash between the two would lose bytes.
   */
  readonly isOutgrown: boolean
  /** Makes all durable that was taken. */
  settle(): Promise<Progress>
  /** Makes the object of it, after `settle`; nothing happens if it is one already. */
  finish(): Promise<void>
  /** Releases the file or the memory; always called last. */
  close(): Promise<void>
}
