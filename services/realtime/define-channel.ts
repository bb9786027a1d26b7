import type { Context } from '#lib/context.ts'
import type { Principal } from '#services/authentication/principal.ts'
import type { EventType } from '#services/events/define-event.ts'
import type { OutboxEvent } from '#services/events/sink.ts'

/** Values of the parts of a channel's name that stand in braces; all of them are ids. */
export type ChannelParams = Readonly<Record<string, string>>

/** Who asks for a channel, and from where. */
export type Listener = Principal & { readonly address: string }

interface ChannelOptions<Ctx extends Context> {
  /** Such as `organizations:{organization_id}:projects`; each part in braces is an id. It never changes its meaning. */
  readonly name: string
  /** A sentence for readers of the API document. */
  readonly description: string
  /** The events that are told on it. Their `data` is the schema of what it carries. */
  readonly events: readonly EventType[]
  /** The name's parts for an event; undefined for one that this channel does not tell. Not asked of what one person is told. */
  readonly paramsOf: (event: OutboxEvent) => ChannelParams | undefined
  /** Whether somebody may listen, at this moment. It is asked again whenever the answer may have changed. */
  readonly authorize: (ctx: Ctx, listener: Listener, params: ChannelParams) => boolean | Promise<boolean>
  /** Whether everybody gets the one that is their own, without asking: the name's only part is the user's id. */
  readonly isOwn?: boolean
  /** Whether those who listen may know who else does, and hear them come and go. */
  readonly hasPresence?: boolean
}

/** A kind of channel. */
export interface Channel<Ctx extends Context = Context> extends Required<ChannelOptions<Ctx>> {
  /** Returns the parts of a name of this kind; undefined for any other name. */
  match(name: string): ChannelParams | undefined
  /** Returns the name that has these parts. */
  nameOf(params: ChannelParams): string
}

const UUID = '([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})'
const NAME = /^[a-z]+(?::(?:[a-z]+|\{[a-z_]+\}))+$/
const PART = /\{([a-z_]+)\}/g

const definitions = new WeakSet<object>()

/**
 * Declares a kind of channel. What services/<domain>/channels.ts exports is found by itself.
 *
 * @throws Error for a name of another form
 */
export function defineChannel<Ctx extends Context>(options: ChannelOptions<Ctx>): Channel<Ctx> {
  const { name } = options
  if (!NAME.test(name)) throw new Error(`a channel can't be named ${name}`)
  const parts = [...name.matchAll(PART)].map(([, part = '']) => part)
  const pattern = new RegExp(`^${name.replace(PART, UUID)}$`)
  const channel: Channel<Ctx> = {
    isOwn: false,
    hasPresence: false,
    ...options,
    match(text) {
      const found = pattern.exec(text)
      return found
        ? Object.fromEntries(parts.map((part, index) => [part, found[index + 1] ?? '']))
        : undefined
    },
    nameOf: (params) => name.replace(PART, (_, part: string) => params[part] ?? ''),
  }
  definitions.add(channel)
  return channel
}

/** Whether a module's export is a kind of channel. */
export function isChannel<Ctx extends Context>(value: unknown): value is Channel<Ctx> {
  return typeof value === 'object' && value !== null && definitions.has(value)
}

/** The `paramsOf` of an organization's channel. */
export const ofOrganization = ({ organization_id }: OutboxEvent): ChannelParams | undefined =>
  organization_id === null ? undefined : { organization_id }
