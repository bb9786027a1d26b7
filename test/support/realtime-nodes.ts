import type { Test } from 'tap'
import { placeCentrifugo, WITHOUT_CENTRIFUGO } from './centrifugo.ts'
import { createTestApp, type TestApp } from './helper.ts'
import { startInstance } from './instances.ts'
import { realtimeUrl } from './realtime.ts'
import { startRedis, WITHOUT_REDIS } from './redis-server.ts'

/** A service with two nodes to which clients connect. */
export interface RealtimeNodes {
  readonly one: TestApp
  readonly urls: readonly [string, string]
}

interface NodesOptions {
  /** Pages of this origin may connect. */
  readonly origin?: string
}

interface Engine {
  /** Why its tests are skipped; false where it is. */
  readonly skip: string | false
  start(t: Test, options?: NodesOptions): Promise<RealtimeNodes>
}

/** Two nodes of each engine of realtime: two instances of the service, or one with a cluster of two. */
export const NODES: Readonly<Record<'embedded' | 'centrifugo', Engine>> = {
  embedded: {
    skip: false,
    async start(t, { origin } = {}) {
      const settings = origin === undefined ? {} : { APP_CORS__ALLOWED_ORIGINS: origin }
      const one = await createTestApp(t, settings)
      const other = await startInstance(t, one.db, settings)
      return { one, urls: [await realtimeUrl(one.app), await realtimeUrl(other)] }
    },
  },
  centrifugo: {
    skip: WITHOUT_CENTRIFUGO || WITHOUT_REDIS,
    async start(t, { origin } = {}) {
      const redis = (await startRedis(t)).url
      const origins = origin === undefined ? {} : { origins: origin }
      const here = await placeCentrifugo(t, { ...origins, redis })
      const there = await placeCentrifugo(t, { ...origins, redis, like: here })
      const one = await createTestApp(t, here.settings)
      const service = (await realtimeUrl(one.app)).replace('ws:', 'http:').replace(/\/realtime$/, '')
      for (const node of [here, there]) await node.start(service)
      return { one, urls: [here.url, there.url] }
    },
  },
}
