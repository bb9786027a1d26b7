import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import type { Returning } from './protocol.ts'
import * as queries from './queries.ts'

/** Where a listener of a channel begins. */
export interface Beginning {
  readonly epoch: string
  /** Offset of the last message that is in `missed`, or came before. */
  readonly offset: number
  /** Whether the listener was here before, and `missed` is exactly what came since. */
  readonly recovered: boolean
  readonly missed: queries.ChannelState['messages']
}

/**
 * Returns where a channel is, and what a listener that returns has missed. What it missed is all there, or none: then it
 * has to load again.
 *
 * @param limits of what is told again, in messages and in bytes
 */
export async function beginAt(
  db: SystemDatabase,
  { name, org }: { readonly name: string; readonly org: string | null },
  { recover = false, offset = 0, epoch = '' }: Returning,
  { size, bytes }: { readonly size: number; readonly bytes: number },
): Promise<Beginning> {
  // A client may say anything; what is beyond all that can be counted PostgreSQL would not take for a number.
  const after = recover ? Math.min(offset, Number.MAX_SAFE_INTEGER) : Number.MAX_SAFE_INTEGER
  const wanted = { after, limit: size + 1 }
  const { top, messages, ...state } = await openChannel(db, name, org, wanted)
  const isKnown = recover && epoch === state.epoch && offset <= top
  // Counted without gaps, so this many are all of them. More than `size` are too many by one.
  const isWhole = isKnown && messages.length === top - offset && messages.length <= size
  const recovered = isWhole && messages.reduce((sum, { data }) => sum + data.length, 0) <= bytes
  return { epoch: state.epoch, offset: top, recovered, missed: recovered ? messages : [] }
}

/** Returns a channel's state; one that nobody has listened to begins now. */
async function openChannel(
  db: SystemDatabase,
  name: string,
  org: string | null,
  wanted: { readonly after: number; readonly limit: number },
): Promise<queries.ChannelState> {
  const found = await queries.selectChannel(db, name, wanted)
  if (found) return found
  await queries.openState(db)
  await queries.beginChannel(db, name, org)
  const begun = await queries.selectChannel(db, name, wanted)
  if (begun === undefined) throw new Error(`the channel ${name} can't begin`)
  return begun
}

/** A part of a channel's history that is asked for. */
export interface Range {
  /** Most messages; 0 for none, negative for all that there are. */
  readonly limit: number
  readonly since: { readonly offset?: number; readonly epoch?: string } | undefined
  readonly isReverse: boolean
}

/** The part, and where the channel is. */
export interface Page {
  readonly epoch: string
  readonly offset: number
  readonly publications: readonly { readonly data: unknown; readonly offset: number }[]
}

/**
 * Returns a part of a channel's history; undefined when it does not reach back to where it is asked for.
 *
 * @param size most messages that there are to have
 */
export async function pageOf(
  db: SystemDatabase,
  name: string,
  { limit, since, isReverse }: Range,
  size: number,
): Promise<Page | undefined> {
  const state = await queries.selectChannel(db, name, { after: 0, limit: size })
  if (state === undefined) return undefined
  const { epoch, top, messages } = state
  const { offset = isReverse ? top + 1 : 0 } = since ?? {}
  if (since?.epoch !== undefined && since.epoch !== '' && since.epoch !== epoch) return undefined
  const oldest = messages[0]?.offset ?? top + 1
  if (since !== undefined && !isReverse && offset < oldest - 1) return undefined
  const wanted = messages.filter((message) => (isReverse ? message.offset < offset : message.offset > offset))
  if (isReverse) wanted.reverse()
  const publications = wanted
    .slice(0, limit < 0 ? size : limit)
    .map((message) => ({ data: JSON.parse(message.data), offset: message.offset }))
  return { epoch, offset: top, publications }
}
