import type { Context } from '#lib/context.ts'
import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import { defineSink } from '#services/events/sink.ts'
import type { CentrifugoApi } from './centrifugo/api.ts'
import { publishByCentrifugo } from './centrifugo/publish.ts'
import type { ChannelList } from './channel-list.ts'
import { messageOf } from './message-of.ts'
import * as queries from './queries.ts'

/** The parts that the sink needs. */
export interface RealtimeContext extends Context {
  readonly realtime: {
    readonly isUsed: boolean
    readonly channels: ChannelList<never>
    /** The cluster that tells what happens, in place of this service. */
    readonly centrifugo: Pick<CentrifugoApi, 'run'> | undefined
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

type Publication = Pick<queries.NewMessage, 'channel' | 'org' | 'data'>

/** Numbers publications in their order, and stores them. */
async function publish(db: SystemDatabase, publications: readonly Publication[]): Promise<void> {
  const first = await queries.takeNumbers(db, publications.length)
  const tops = await queries.selectTops(db, [...new Set(publications.map(({ channel }) => channel))])
  const messages = publications.map((publication, index) => {
    const seq = first + index
    const top = tops.get(publication.channel)
    // One that begins takes an offset that it cannot have had before.
    const offset = top === undefined ? seq : top + 1
    tops.set(publication.channel, offset)
    return { ...publication, seq, offset }
  })
  await queries.insertMessages(db, messages)
  await queries.wakeReaders(db)
}
