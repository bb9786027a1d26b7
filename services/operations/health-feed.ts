import { warnOfTrouble } from '#lib/log/troubles.ts'
import { repeatUntil } from '#lib/waiting/repeat.ts'
import { isDue, tellNews } from '#services/realtime/feed.ts'
import type { RealtimeContext } from '#services/realtime/sink.ts'
import { healthChannel } from './channels.ts'
import { type HealthContext, healthSummary } from './health-summary.ts'

/** Milliseconds between two messages, and between two looks whether somebody listens. */
const EVERY_MS = 5000
/** A message that another process has just sent is as good. */
const SILENCE_MS = EVERY_MS - 1000

/** The parts that telling needs. */
export interface HealthFeedContext extends HealthContext, RealtimeContext {}

/** Tells admins who listen how the service is. Every process that works does it; in most rounds one of them finds it due. */
export class HealthFeed {
  readonly #ctx: HealthFeedContext
  readonly #stop = new AbortController()
  readonly #everyMs: number
  #running: Promise<void> | undefined

  constructor(ctx: HealthFeedContext, { everyMs = EVERY_MS } = {}) {
    this.#ctx = ctx
    this.#everyMs = everyMs
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const warn = warnOfTrouble(this.#ctx.log, 'could not tell admins how the service is; it is tried again')
    const tell = async () => {
      await tellHealth(this.#ctx).catch(warn)
      return false
    }
    await repeatUntil(this.#stop.signal, this.#everyMs, tell, { ref: false })
  }
}

/** Tells how the service is, if somebody listens and nobody else has just told. */
export async function tellHealth(ctx: HealthFeedContext): Promise<void> {
  const channel = healthChannel.name
  if (!(await isDue(ctx, channel, SILENCE_MS))) return
  const data = await healthSummary(ctx)
  const subject = { type: 'instance', id: ctx.health.instanceId }
  await tellNews(ctx, channel, { type: 'operations.health', subject, at: ctx.now(), everyMs: EVERY_MS, data })
}
