import type { FastifyReply } from 'fastify'
import type { Decision } from '#lib/rate-limits/rate-limiter.ts'

/** Returns the decision that leaves less. */
export function scarcer(one: Decision | undefined, other: Decision): Decision {
  return one !== undefined && one.remaining <= other.remaining ? one : other
}

/**
 * Tells a client what is left, as draft-ietf-httpapi-ratelimit-headers-07 and before have it; later drafts have another form,
 * which few clients read.
 */
export function announce(reply: FastifyReply, decision: Decision): void {
  reply.header('ratelimit-limit', decision.limit)
  reply.header('ratelimit-remaining', decision.remaining)
  reply.header('ratelimit-reset', secondsOf(decision))
}

/** Returns the whole seconds until the count starts again. */
export function secondsOf({ resetsIn }: Decision): number {
  return Math.max(1, Math.ceil(resetsIn / 1000))
}
