import type { Context } from '#lib/context.ts'
import { exportsOf } from '#lib/discovery/exports-of.ts'
import type { OutboxEvent } from '#services/events/sink.ts'
import { type Channel, type ChannelParams, isChannel } from './define-channel.ts'

const SERVICES = new URL('../', import.meta.url)

/** Longest name, in characters. */
export const MAX_NAME = 255

/** A channel by its name. */
export interface Found<Ctx extends Context> {
  readonly channel: Channel<Ctx>
  readonly params: ChannelParams
}

/** A channel that tells an event. */
interface Carrier {
  readonly channel: string
  /** Null for a channel of a person. */
  readonly org: string | null
}

/** Returns the organization whose channel it is; null for a channel of a person. */
export const orgOf = (params: ChannelParams): string | null => params['organization_id'] ?? null

/** Returns the parts of the name of the channel that tells an event; what one person alone is told, only their own does. */
function paramsFor(channel: Channel<never>, event: OutboxEvent): ChannelParams | undefined {
  const { told_to: person } = event
  if (person === null) return channel.paramsOf(event)
  return channel.isOwn ? { user_id: person } : undefined
}

/** The kinds of channels that there are. */
export class ChannelList<Ctx extends Context = Context> {
  readonly channels: readonly Channel<Ctx>[]
  readonly #byEvent = new Map<string, Channel<Ctx>[]>()

  /** @throws Error when two have one name */
  constructor(channels: readonly Channel<Ctx>[]) {
    this.channels = [...channels].sort((a, b) => (a.name < b.name ? -1 : 1))
    const names = new Set<string>()
    for (const channel of this.channels) {
      if (names.has(channel.name)) throw new Error(`the channel ${channel.name} is defined twice`)
      names.add(channel.name)
      for (const { type } of channel.events) {
        this.#byEvent.set(type, [...(this.#byEvent.get(type) ?? []), channel])
      }
    }
  }

  find(name: string): Found<Ctx> | undefined {
    if (name.length > MAX_NAME) return undefined
    for (const channel of this.channels) {
      const params = channel.match(name)
      if (params) return { channel, params }
    }
    return undefined
  }

  /** Names of the channels that everybody gets without asking. */
  ownOf(user: string): string[] {
    return this.channels.filter(({ isOwn }) => isOwn).map((channel) => channel.nameOf({ user_id: user }))
  }

  /** The channels on which an event is told, by name, and whose they are. */
  carriersOf(event: OutboxEvent): Carrier[] {
    const carriers: Carrier[] = []
    for (const channel of this.#byEvent.get(event.type) ?? []) {
      const params = paramsFor(channel, event)
      if (params) carriers.push({ channel: channel.nameOf(params), org: orgOf(params) })
    }
    return carriers
  }
}

/**
 * Returns the channels that services/<domain>/channels.ts export.
 *
 * @param services the folder of the domains; the project's own when left out
 */
export async function findChannels<Ctx extends Context>(services = SERVICES): Promise<ChannelList<Ctx>> {
  const values = await exportsOf('channels.ts', [services])
  return new ChannelList(values.filter((value) => isChannel<Ctx>(value)))
}
