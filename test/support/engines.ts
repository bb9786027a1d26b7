import type { Test } from 'tap'
import { type CentrifugoServer, placeCentrifugo, WITHOUT_CENTRIFUGO } from './centrifugo.ts'
import { createTestApp, type TestApp } from './helper.ts'
import { realtimeUrl } from './realtime.ts'

/** A service whose clients connect at `url`. */
export interface RealtimeApp extends TestApp {
  readonly url: string
  /** The one that keeps the sockets, if one does. */
  readonly centrifugo: CentrifugoServer | undefined
}

interface Engine {
  /** Why its tests are skipped; false where it is. */
  readonly skip: string | false
  start(t: Test, settings?: Record<string, string>): Promise<RealtimeApp>
}

/** The engines of realtime: the same tests run on both. */
export const ENGINES: Readonly<Record<'embedded' | 'centrifugo', Engine>> = {
  embedded: {
    skip: false,
    async start(t, settings) {
      const one = await createTestApp(t, settings)
      return { ...one, url: await realtimeUrl(one.app), centrifugo: undefined }
    },
  },
  centrifugo: {
    skip: WITHOUT_CENTRIFUGO,
    async start(t, settings) {
      const centrifugo = await placeCentrifugo(t)
      const one = await createTestApp(t, { ...centrifugo.settings, ...settings })
      const own = await realtimeUrl(one.app)
      await centrifugo.start(own.replace('ws:', 'http:').replace(/\/realtime$/, ''))
      return { ...one, url: centrifugo.url, centrifugo }
    },
  },
}
