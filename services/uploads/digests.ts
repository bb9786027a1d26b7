import { Examination } from '#services/files/examination.ts'

/** Uploads that are remembered, those that came last. */
const MOST = 1000

/**
 * Digests of uploads that are not finished, as far as this instance has seen them, so that one that came in several requests needs
 * no second look at its bytes. An upload that others have taken a part of is read when all of it has come.
 */
export class Digests {
  readonly #known = new Map<string, Examination>()

  /** Takes out what is known of all bytes of an object before `offset`; undefined if that is not all of them. */
  take(key: string, offset: number, limit: number): Examination | undefined {
    const known = this.#known.get(key)
    this.#known.delete(key)
    if (known?.size === offset) return known
    return offset === 0 ? new Examination({ limit, types: undefined, reach: () => undefined }) : undefined
  }

  put(key: string, examination: Examination): void {
    this.#known.set(key, examination)
    const [oldest] = this.#known.keys()
    if (this.#known.size > MOST && oldest !== undefined) this.#known.delete(oldest)
  }
}
