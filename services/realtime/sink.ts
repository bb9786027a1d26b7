import type { Context } from '#lib/context.ts'
import { defineSink } from '#services/events/sink.ts'
import type { CentrifugoApi } from './centrifugo/api.ts'
import { publishByCentrifugo } from './centrifugo/publish.ts'
import type { ChannelList } from './channel-list.ts'
import { messageOf } from './message-of.ts'
import { publish } from './publish.ts'

/** The parts that the sink needs. */
export interface RealtimeContext extends Context {
  readonly realtime: {
    readonly isUsed: boolean
    readonly channels: ChannelList<never>
    /** The cluster that tells what happens, in place of this service. */
    readonly centrifugo: Pick<CentrifugoApi, 'run' | 'ask'> | undefined
  }
}

/** Events that are published in one transaction. */
const BATCH = 200
/** Milliseconds between looks while events come: people see what others do. */
const BUSY_MS = 10

/** Publishes events on their channels, and wakes the instances that have listeners. */
export const realtimeSink = defineSink<RealtimeContext>({
  name: 'realtime',
  column: 'realtime_at',
  batch: BATCH,
  isOrdered: true,
  busyMs: BUSY_MS,
  isUsed: ({ realtime }) => realtime.isUsed,
  take: async ({ realtime, db }, events) => {
    const { channels, centrifugo } = realtime
    if (centrifugo) return publishByCentrifugo({ db, channels, api: centrifugo }, events)
    const publications = events.flatMap((event) =>
      channels.carriersOf(event).map((carrier) => ({ ...carrier, data: messageOf(event) })),
    )
    if (publications.length > 0) await publish(db, publications)
    return events.map(({ id }) => id)
  },
})
