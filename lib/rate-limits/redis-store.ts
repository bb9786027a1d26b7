import { defineScript, type Redis } from '#lib/redis/redis.ts'
import type { Claim, Grant, Store } from './store.ts'

/**
 * A count for each key, which lives as long as its window: no longer, also where a longer window was set before.
 * Claims are points, owed, wanted; grants are as Grant.
 */
const TAKE = defineScript(`
local window = tonumber(ARGV[1])
local grants = {}
for i, key in ipairs(KEYS) do
  local points, owed, wanted = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local left = redis.call('PTTL', key)
  if left > window then
    redis.call('PEXPIRE', key, window)
    left = window
  end
  local used = 0
  if left > 0 then used = tonumber(redis.call('GET', key)) end
  local granted = math.max(0, math.min(wanted, points - used - owed))
  used = used + owed + granted
  if left <= 0 then
    redis.call('SET', key, used, 'PX', window)
    left = window
  elseif owed + granted > 0 then
    redis.call('INCRBY', key, owed + granted)
  end
  grants[i] = { granted, used, left }
end
return grants
`)

/** Claims in one run of the script, during which Redis does nothing else: a millisecond or two. */
const MAX_CLAIMS = 500

/** Counts in Redis: exact while it is there and keeps what it is told. */
export class RedisStore implements Store {
  readonly #redis: Redis
  readonly #window: number
  readonly maxClaims = MAX_CLAIMS

  /** @param window milliseconds */
  constructor(redis: Redis, window: number) {
    this.#redis = redis
    this.#window = window
  }

  get isAvailable(): boolean {
    return this.#redis.isReady
  }

  async take(claims: readonly Claim[]): Promise<Grant[]> {
    const keys = claims.map(({ subject }) => `rate-limit:${subject}`)
    const args = claims.flatMap(({ points, owed, wanted }) => [points, owed, wanted])
    const reply = await this.#redis.run(TAKE, keys, [this.#window, ...args])
    /* c8 ignore next -- for the type; the script returns nothing else */
    if (!Array.isArray(reply)) throw new TypeError('the script answered no list')
    return reply.map(readGrant)
  }
}

function readGrant(reply: unknown): Grant {
  /* c8 ignore next -- for the type, as above */
  if (!Array.isArray(reply)) throw new TypeError('the script answered no grant')
  const [granted = 0, used = 0, resetsIn = 0] = reply.map(Number)
  return { granted, used, resetsIn }
}
