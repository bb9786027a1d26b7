import type { ServiceError } from '#lib/errors.ts'
import { RateLimited } from '#lib/rate-limits/errors.ts'
import type { Decision, RateLimiter } from '#lib/rate-limits/rate-limiter.ts'
import { secondsOf } from './decisions.ts'
import type { RateLimitMetrics } from './limit-metrics.ts'

/** Counts a WebSocket that a network asks for; returns why it is refused, if it is. */
export type SocketLimit = (network: string) => ServiceError | undefined | Promise<ServiceError | undefined>

/**
 * Makes what counts WebSockets.
 *
 * @param points that a network has for them in a window
 */
export function createSocketLimit(
  limiter: Pick<RateLimiter, 'take'>,
  points: number,
  metrics: Pick<RateLimitMetrics, 'refused'>,
): SocketLimit {
  const refusalOf = (decision: Decision) => {
    if (decision.admitted) return undefined
    metrics.refused('address')
    return new RateLimited({ retryAfter: secondsOf(decision) })
  }
  return (network) => {
    const decision = limiter.take(`sockets:${network}`, points, 1)
    return decision instanceof Promise ? decision.then(refusalOf) : refusalOf(decision)
  }
}
