/** Pauses between attempts that fail: each is twice the one before, up to a longest, and partly random. */
export class BackOff {
  readonly #firstMs: number
  readonly #longestMs: number
  #failures = 0

  constructor(firstMs: number, longestMs: number) {
    this.#firstMs = firstMs
    this.#longestMs = longestMs
  }

  /**
   * Does work that is repeated for ever. Returns the milliseconds until the next time: those that the work says, and after a
   * failure, of which `failed` is told, a pause. Pauses begin with the first again once the work has succeeded.
   */
  async attempt(work: () => Promise<number>, failed: (error: unknown) => void): Promise<number> {
    try {
      const delayMs = await work()
      this.reset()
      return delayMs
    } catch (error) {
      failed(error)
      return this.next()
    }
  }

  /** Returns the milliseconds to wait after another failure: half of it at least, so that many do not come at once. */
  next(): number {
    const pauseMs = Math.min(this.#firstMs * 2 ** this.#failures++, this.#longestMs)
    return pauseMs * (0.5 + Math.random() / 2)
  }

  /** Begins with the first pause again. */
  reset(): void {
    this.#failures = 0
  }
}
