import fp from 'fastify-plugin'
import { Counter, Gauge, Histogram } from 'prom-client'
import { Redis } from '#lib/redis/redis.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Redis or Valkey; undefined where `redis.url` is not set. It may be away at any time. */
    redis: Redis | undefined
  }
}

/** Seconds; a command takes tens of microseconds to `redis.command_timeout`. */
const BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1]

/** Redis, if it is configured. The service starts and runs without it. */
export default fp(
  async (app) => {
    const { url, key_prefix: prefix, command_timeout: timeout } = app.config.redis
    if (url === undefined) {
      app.decorate('redis', undefined)
      return
    }
    // The client takes 100 ms and 5 MB, which only those pay who use it.
    const { RedisConnection } = await import('#lib/redis/connection.ts')
    const registers = [app.metrics]
    const durations = new Histogram({
      name: 'redis_command_duration_seconds',
      help: 'Time from sending a command to Redis to its answer or failure.',
      buckets: BUCKETS,
      registers,
    })
    const failures = new Counter({
      name: 'redis_command_failures_total',
      help: 'Commands that Redis did not answer in time (no_answer), refused, or that were lost with the connection.',
      labelNames: ['reason'],
      registers,
    })
    for (const reason of ['lost', 'no_answer', 'refused']) failures.inc({ reason }, 0)

    const connection = new RedisConnection(url, prefix, app.log)
    const redis = new Redis(connection, {
      timeout,
      prefix,
      finished(failure, seconds) {
        durations.observe(seconds)
        if (failure !== undefined) failures.inc({ reason: failure })
      },
    })
    new Gauge({
      name: 'redis_up',
      help: 'Whether Redis is connected: 1, or 0 while the service runs without it.',
      aggregator: 'min',
      registers,
      collect() {
        this.set(redis.isReady ? 1 : 0)
      },
    })
    app.decorate('redis', redis)
    app.addHook('onReady', () => connection.start())
    app.addHook('onClose', () => connection.close())
  },
  { name: 'redis', dependencies: ['metrics'] },
)
