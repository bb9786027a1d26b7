import type { FastifyInstance } from 'fastify'
import { PostgresStore } from '#lib/rate-limits/postgres-store.ts'
import { RedisStore } from '#lib/rate-limits/redis-store.ts'
import type { Store } from '#lib/rate-limits/store.ts'

/** Where requests are counted. */
export interface CountingPlace {
  readonly name: 'memory' | 'postgres' | 'redis'
  /** undefined for the memory of this instance. */
  readonly store: Store | undefined
  /** Whether the instances share a limit, also while each has to count for itself. */
  readonly isShared: boolean
}

export interface Stores {
  /** The place to count in at the moment. */
  current(): CountingPlace
  close(): void
}

/** Makes what `rate_limit.store` names; with `auto` the place depends on how many instances there are. */
export function createStores(app: FastifyInstance): Stores {
  const { window, store: choice, database_timeout: timeout } = app.config.rate_limit
  const { redis, instances } = app
  const postgresStore = new PostgresStore(app.db, { windowMs: window, timeout }, app.log)
  // Who chooses memory for several instances wants the whole limit at each.
  const memory: CountingPlace = { name: 'memory', store: undefined, isShared: false }
  const postgres: CountingPlace = { name: 'postgres', store: postgresStore, isShared: true }
  const together: CountingPlace =
    redis === undefined ? postgres : { name: 'redis', store: new RedisStore(redis, window), isShared: true }

  // What others have used is in the database until their windows end.
  let lastTogether = Number.NEGATIVE_INFINITY
  function isAlone(): boolean {
    const now = performance.now()
    if (instances.known > 1) lastTogether = now
    return now - lastTogether > window
  }

  function current(): CountingPlace {
    if (choice === 'memory') return memory
    if (choice === 'postgres') return postgres
    return together === postgres && isAlone() ? memory : together
  }
  return { current, close: () => postgresStore.close() }
}
