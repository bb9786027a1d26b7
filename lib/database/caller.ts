/** Who waits for what the database does, and may leave before it is done. */
export interface Caller {
  isGone(): boolean
  /** Calls `listener` once when it leaves. Returns a function that removes the listener. */
  onGone(listener: () => void): () => void
}
