const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Milliseconds before each further attempt, as Standard Webhooks recommends: ten attempts over three days. */
const DELAYS_MS = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
]

/** A delay is so much shorter or longer, at random, so that receivers are not called by all at once. */
const JITTER = 0.2

/** The longest wait that a receiver can ask for. */
const LONGEST_WAIT_MS = 24 * HOUR

/** Attempts at a delivery before it is given up. */
export const MAX_ATTEMPTS = DELAYS_MS.length + 1

interface Wish {
  readonly now: Date
  /** `Retry-After`: seconds, or a time. */
  readonly retryAfter?: string | undefined
  /** From 0 to 1. */
  readonly random?: () => number
}

/** Returns when to try again after so many attempts; undefined after the last. */
export function nextAttemptAt(
  attempts: number,
  { now, retryAfter, random = Math.random }: Wish,
): Date | undefined {
  const delay = DELAYS_MS[attempts - 1]
  if (delay === undefined) return undefined
  const jittered = delay * (1 - JITTER + 2 * JITTER * random())
  const asked = Math.min(waitOf(retryAfter, now), LONGEST_WAIT_MS)
  return new Date(now.getTime() + Math.max(jittered, asked))
}

/** Returns the milliseconds that `Retry-After` asks for; 0 if it is not valid. */
function waitOf(text: string | undefined, now: Date): number {
  if (text === undefined) return 0
  if (/^\d+$/.test(text)) return Number(text) * SECOND
  const until = Date.parse(text)
  return Number.isNaN(until) ? 0 : Math.max(0, until - now.getTime())
}
