import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Config } from '#config/schema/schema.ts'

/** The least time that clients have to see, with their next response, that they are to connect again. */
const REDIRECT_TIMEOUT_MS = 1000

/**
 * Hands the instance's clients over to other workers: it takes no new connections, and asks those that it has
 * to connect again, for which they get `drain_delay`, a second at least.
 */
export async function handOver(
  app: FastifyInstance,
  { drain_delay, shutdown_timeout }: Config['server'],
): Promise<void> {
  const closed = once(app.server, 'close')
  app.retire()
  const timeout = Math.min(Math.max(drain_delay, REDIRECT_TIMEOUT_MS), shutdown_timeout / 2)
  await Promise.race([closed, sleep(timeout)])
}
