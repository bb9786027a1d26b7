import type { Context, Log } from '#lib/context.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'
import { BackOff } from '#lib/waiting/back-off.ts'
import { pause } from '#lib/waiting/repeat.ts'
import type { AuditKeys } from './keys.ts'
import { sealBatch } from './sealer.ts'

/** Milliseconds between two looks for entries. */
const INTERVAL_MS = 500
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 10_000

interface Options {
  readonly log: Log
  /** Is told how many milliseconds a sealed entry waited. */
  sealed(waitedMs: number): void
  /** Is told how many entries were refused. */
  refused(count: number): void
}

/** Seals entries until it is closed, beside those of other instances: one seals at a time. */
export class SealLoop {
  readonly #ctx: Pick<Context, 'db' | 'now'> & { readonly audit: AuditKeys }
  readonly #options: Options
  readonly #stop = new AbortController()
  readonly #retries = new BackOff(FIRST_RETRY_MS, LAST_RETRY_MS)
  readonly #warn: (error: unknown) => void
  #running: Promise<void> | undefined

  constructor(ctx: Pick<Context, 'db' | 'now'> & { readonly audit: AuditKeys }, options: Options) {
    this.#ctx = ctx
    this.#options = options
    this.#warn = warnOfTrouble(options.log, 'could not seal entries of the audit log; they wait')
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Ends it after a last look. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) await pause(await this.#retries.attempt(() => this.#seal(), this.#warn), signal)
  }

  /** Seals one batch; returns the milliseconds until the next. */
  async #seal(): Promise<number> {
    const { refused, hasMore } = await sealBatch(this.#ctx, (waited) => this.#options.sealed(waited))
    if (refused.length > 0) {
      this.#options.refused(refused.length)
      this.#options.log.error({ entries: refused }, 'entries of the audit log are not what the service wrote')
    }
    return hasMore ? 0 : INTERVAL_MS
  }
}
