import type { Context } from '#lib/context.ts'
import { record } from './records.ts'

/** One refusal of an operation to an actor in this time is recorded; the others are only counted. */
const WINDOW_MS = 60_000
/** Refusals of all actors in that time that one process records. */
const MAX_RECORDED = 60

interface Options {
  /** Milliseconds since 1970. */
  now(): number
  /** Is told of refusals that are not recorded. */
  dropped(count: number): void
}

/** Refusals for lack of rights, as far as they are recorded: a flood of them must not fill the disk. */
export class Denials {
  readonly #options: Options
  /** Actors and operations whose refusal was recorded in this window. */
  readonly #recordedKeys = new Set<string>()
  #windowStart = 0

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
    if (this.#recordedKeys.has(key) || this.#recordedKeys.size >= MAX_RECORDED) {
      this.#options.dropped(1)
      return
    }
    this.#recordedKeys.add(key)
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
    this.#recordedKeys.clear()
  }
}
