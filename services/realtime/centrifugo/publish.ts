import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { OutboxEvent } from '#services/events/sink.ts'
import type { ChannelList } from '../channel-list.ts'
import { messageOf } from '../message-of.ts'
import { type ApiCommand, type CentrifugoApi, publishing, reconnecting } from './api.ts'
import { doubtedBy } from './doubts.ts'

interface CentrifugoContext {
  readonly db: SystemDatabase
  readonly channels: ChannelList<never>
  readonly api: Pick<CentrifugoApi, 'run'>
}

/**
 * Has Centrifugo tell what happened, in order. Where an event takes rights away, those whom it concerns connect again, and
 * later events wait for the next call: Centrifugo ends connections beside what it publishes. What may have been done comes
 * again, with the same ids.
 *
 * @returns ids of the events that are told
 * @throws CentrifugoError when none is
 */
export async function publishByCentrifugo(
  ctx: CentrifugoContext,
  events: readonly OutboxEvent[],
): Promise<string[]> {
  const commands: ApiCommand[] = []
  const ends: [id: string, end: number][] = []
  for (const event of events) {
    const doubted = await doubtedBy(ctx, event)
    commands.push(...doubted.map(reconnecting))
    for (const { channel } of ctx.channels.carriersOf(event))
      commands.push(publishing(channel, messageOf(event), event.id))
    ends.push([event.id, commands.length])
    if (doubted.length > 0) break
  }
  const done = commands.length === 0 ? 0 : await ctx.api.run(commands)
  return ends.flatMap(([id, end]) => (end <= done ? [id] : []))
}
