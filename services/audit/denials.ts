import type { Context } from '#lib/context.ts'
import { record } from './records.ts'

/** One refusal of an operation to an actor in this time; the others are counted, and told by the next. */
const WINDOW_MS = 60_000
/** Refusals of all actors in that time that one process records. */
const MAX_RECORDED = 60
/** Actors and operations that are remembered. */
const MAX_KNOWN = 1000

interface Options {
  /** Milliseconds since 1970. */
  now(): number
  /** Is told of refusals that are not recorded. */
  dropped(count: number): void
}

/** Refusals for lack of rights, as far as they are recorded: a flood of them must not fill the disk. */
export class Denials {
  readonly #options: Options
  /** By actor and operation: refusals since the one that was recorded. */
  readonly #repeated = new Map<string, number>()
  #windowStart = 0
  #recorded = 0

  constructor(options: Options) {
    this.#options = options
  }

  /** Records that an operation was refused, unless there were too many. */
  async record(
    ctx: Pick<Context, 'db' | 'client' | 'marker'>,
    { operation, org }: { operation: string; org?: string | undefined },
  ): Promise<void> {
    this.#turn()
    const { kind, id } = ctx.client.actor
    const key = `${kind}:${id}:${org}:${operation}`
    const repeated = this.#repeated.get(key)
    if (repeated !== undefined || this.#recorded >= MAX_RECORDED || this.#repeated.size >= MAX_KNOWN) {
      if (repeated !== undefined) this.#repeated.set(key, repeated + 1)
      this.#options.dropped(1)
      return
    }
    this.#repeated.set(key, 0)
    this.#recorded += 1
    await record(ctx, {
      ...(org === undefined ? {} : { org }),
      action: `operations.${operation}`,
      target: { type: 'operation', id: operation },
      outcome: 'denied',
    })
  }

  #turn(): void {
    const now = this.#options.now()
    if (now - this.#windowStart < WINDOW_MS) return
    this.#windowStart = now
    this.#recorded = 0
    this.#repeated.clear()
  }
}
