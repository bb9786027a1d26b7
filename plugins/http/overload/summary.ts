/** Milliseconds that a summary covers. */
const INTERVAL_MS = 1000

/** Counts what happens by reason, and tells it once a second while it happens. */
export class Summary {
  readonly #tell: (total: number, reasons: Record<string, number>) => void
  #counts = new Map<string, number>()
  #told = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  constructor(tell: (total: number, reasons: Record<string, number>) => void) {
    this.#tell = tell
  }

  add(reason: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1)
    this.#begin()
  }

  /** Whether this is the first of its kind in the current second, which is then not part of the summary. */
  claimFirst(reason: string): boolean {
    if (this.#told.has(reason)) return false
    this.#told.add(reason)
    this.#begin()
    return true
  }

  /** Tells what was not told yet. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#told = new Set()
    if (this.#counts.size === 0) return
    const reasons = Object.fromEntries(this.#counts)
    this.#counts = new Map()
    this.#tell(
      Object.values(reasons).reduce((sum, count) => sum + count, 0),
      reasons,
    )
  }

  #begin(): void {
    this.#timer ??= setTimeout(() => this.flush(), INTERVAL_MS).unref()
  }
}
