import { Type } from '@sinclair/typebox'
import { publishing } from './centrifugo/api.ts'
import { publish } from './publish.ts'
import { selectIsDue } from './queries.ts'
import type { RealtimeContext } from './sink.ts'
import { openStore } from './store.ts'

// How a domain tells the state of something again and again, of which no event tells.

const Stats = Type.Object({ num_clients: Type.Number() })

/**
 * Whether somebody listens to a channel with presence, on which nothing was told for some milliseconds. Of several processes
 * that ask at the same time, more than one may hear yes.
 */
export async function isDue(ctx: RealtimeContext, channel: string, silenceMs: number): Promise<boolean> {
  const { isUsed, centrifugo } = ctx.realtime
  if (!isUsed) return false
  if (centrifugo) return (await centrifugo.ask('presence_stats', { channel }, Stats)).num_clients > 0
  return selectIsDue(openStore(ctx.db), channel, silenceMs)
}

/** A message, and how long it is the news: of those that several processes send in this time, one is told. */
export interface News {
  readonly type: string
  readonly subject: { readonly type: string; readonly id: string }
  readonly at: Date
  readonly everyMs: number
  readonly data: object
}

/** Tells the news on a channel, in the form in which events are told. */
export async function tellNews(ctx: RealtimeContext, channel: string, news: News): Promise<void> {
  const { type, subject, at, everyMs, data } = news
  const slot = Math.floor(at.getTime() / everyMs)
  const id = `${channel}:${slot}`
  const head = { type, timestamp: at.toISOString(), id, version: 1, organization_id: null, subject, data }
  const text = JSON.stringify(head)
  const { centrifugo } = ctx.realtime
  if (centrifugo) await centrifugo.run([publishing(channel, text, id)])
  else await openStore(ctx.db).transaction((db) => publish(db, [{ channel, org: null, data: text }]))
}
