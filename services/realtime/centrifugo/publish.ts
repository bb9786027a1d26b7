import { setTimeout as sleep } from 'node:timers/promises'
import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { OutboxEvent } from '#services/events/sink.ts'
import type { ChannelList } from '../channel-list.ts'
import { messageOf } from '../message-of.ts'
import { type ApiCommand, type CentrifugoApi, publishing, reconnecting } from './api.ts'
import { doubtedBy } from './doubts.ts'

/** Connections that are ended by one request. */
const ENDED_AT_ONCE = 500
/**
 * Milliseconds after connections were ended, before anything is told: Centrifugo ends them beside what it publishes, and
 * each of its nodes hears of it by itself.
 */
const SETTLE_MS = 50

interface CentrifugoContext {
  readonly db: SystemDatabase
  readonly channels: ChannelList<never>
  readonly api: Pick<CentrifugoApi, 'run'>
}

/**
 * Has Centrifugo tell what happened, in order. Those from whom one of the events takes rights connect again before any of
 * the events is told, so they hear nothing that came after it, nor what came shortly before. No other relay tells anything
 * meanwhile. What may have been done comes again, with the same ids.
 *
 * @returns ids of the events that are told
 * @throws CentrifugoError when none is
 */
export async function publishByCentrifugo(
  ctx: CentrifugoContext,
  events: readonly OutboxEvent[],
): Promise<string[]> {
  await endDoubted(ctx, events)
  const commands: ApiCommand[] = []
  const ends: [id: string, end: number][] = []
  for (const event of events) {
    for (const { channel } of ctx.channels.carriersOf(event))
      commands.push(publishing(channel, messageOf(event), event.id))
    ends.push([event.id, commands.length])
  }
  const done = commands.length === 0 ? 0 : await ctx.api.run(commands)
  return ends.flatMap(([id, end]) => (end <= done ? [id] : []))
}

/** Ends the connections of all who may hear less after the events. */
async function endDoubted({ db, api }: CentrifugoContext, events: readonly OutboxEvent[]): Promise<void> {
  const callers = new Set<string>()
  for (const event of events) for (const caller of await doubtedBy({ db }, event)) callers.add(caller)
  let waiting = [...callers].map(reconnecting)
  if (waiting.length === 0) return
  while (waiting.length > 0) waiting = waiting.slice(await api.run(waiting.slice(0, ENDED_AT_ONCE)))
  await sleep(SETTLE_MS)
}
