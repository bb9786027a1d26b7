/** Those who take part in one round. */
interface Round<T, R> extends PromiseWithResolvers<R> {
  readonly items: T[]
}

/** Work that is done for many at once: who asks while a round is under way takes part in the next one. */
export class Rounds<T, R> {
  readonly #work: (items: readonly T[]) => Promise<R>
  #next: Round<T, R> | undefined
  #isUnderWay = false

  /** @param work what a round does for the items of all who take part in it */
  constructor(work: (items: readonly T[]) => Promise<R>) {
    this.#work = work
  }

  /** Takes part in the next round, and returns what it returns to all, or throws what it throws. */
  join(item: T): Promise<R> {
    this.#next ??= { items: [], ...Promise.withResolvers<R>() }
    const { items, promise } = this.#next
    items.push(item)
    if (!this.#isUnderWay) void this.#begin()
    return promise
  }

  async #begin(): Promise<void> {
    this.#isUnderWay = true
    while (this.#next !== undefined) {
      const { items, resolve, reject } = this.#next
      this.#next = undefined
      await this.#work(items).then(resolve, reject)
    }
    this.#isUnderWay = false
  }
}
