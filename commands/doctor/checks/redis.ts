import { createClient } from '@redis/client'
import { type Check, off, problem, warning, wordsOf } from '../check.ts'

/** Milliseconds. */
const TIMEOUT_MS = 5000

const check: Check = {
  name: 'Redis',
  reads: ['redis', 'rate_limit.store'],
  async run({ config: { redis, rate_limit } }) {
    if (redis.url === undefined) {
      return [off('redis.url is not set.', 'The service does without Redis.', 'Set APP_REDIS__URL.')]
    }
    const client = createClient({
      url: redis.url,
      socket: { connectTimeout: TIMEOUT_MS, reconnectStrategy: false },
      commandOptions: { timeout: TIMEOUT_MS },
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      // Written, for a replica answers a PING too.
      const key = `${redis.key_prefix}doctor:${process.pid}`
      const began = performance.now()
      await client.set(key, '1', { expiration: { type: 'PX', value: 1000 } })
      const took = performance.now() - began
      if (took <= redis.command_timeout) return []
      return [
        warning(
          `Redis took ${Math.round(took)} ms for a command, and redis.command_timeout is ${redis.command_timeout} ms.`,
          'Slower answers count as failures, and the service runs without Redis.',
          'Have it near, or raise APP_REDIS__COMMAND_TIMEOUT.',
        ),
      ]
    } catch (error) {
      return [
        problem(
          `Redis cannot be used: ${wordsOf(error)}`,
          `The service works without it; each instance counts rate limits by itself (rate_limit.store is ${rate_limit.store}).`,
          'Start it, or correct address, user and password in APP_REDIS__URL; without Redis, leave that out.',
        ),
      ]
    } finally {
      client.destroy()
    }
  },
}
export default check
