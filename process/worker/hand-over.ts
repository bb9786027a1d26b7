import type { FastifyInstance } from 'fastify'
import type { Config } from '#config/schema/schema.ts'
import { pause } from '#lib/waiting/repeat.ts'

/** The least time that clients have to see, with their next response, that they are to connect again. */
const MIN_REDIRECT_TIME_MS = 1000

type Times = Pick<Config['server'], 'drain_delay' | 'shutdown_timeout'>

/** Milliseconds that clients have to connect again: `drain_delay`, a second at least, and half of the whole end at most. */
export function redirectTime({ drain_delay, shutdown_timeout }: Times): number {
  return Math.min(Math.max(drain_delay, MIN_REDIRECT_TIME_MS), shutdown_timeout / 2)
}

/**
 * Hands the instance's clients over to other workers: it takes no new connections, and asks those that it has
 * to connect again. Ends when they have, or when their time is over.
 */
export async function handOver(app: Pick<FastifyInstance, 'server' | 'retire'>, times: Times): Promise<void> {
  const gone = new AbortController()
  app.server.once('close', () => gone.abort())
  const time = redirectTime(times)
  app.retire(time)
  await pause(time, gone.signal)
}
