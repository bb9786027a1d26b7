/** An instance's claim on a subject's budget. */
export interface Claim {
  readonly subject: string
  /** The whole budget of a window. */
  readonly points: number
  /** Points that the instance has already given away by itself; they are counted in any case. */
  readonly owed: number
  /** Points that it asks for. */
  readonly wanted: number
}

/** The answer to a claim. */
export interface Grant {
  /** Points that it may admit: what it claimed, or what is left. */
  readonly granted: number
  /** Points of the window that are used now, by all instances. */
  readonly used: number
  /** Milliseconds until the window ends. */
  readonly resetsIn: number
}

/** Where instances count together. */
export interface Store {
  /** Whether it is worth asking. */
  readonly isAvailable: boolean
  /** At most as many claims as are asked for at once. */
  readonly maxClaims: number
  /**
   * Counts claims, each separately and exactly, even with concurrent callers; one grant each, in the same order.
   *
   * @throws whatever, when there is no answer in time
   */
  take(claims: readonly Claim[]): Promise<Grant[]>
}
