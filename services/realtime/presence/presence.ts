import type { Context } from '#lib/context.ts'
import type { OrgDatabase } from '#lib/database/scoped-database.ts'
import type { ChannelPresence } from '#schemas/presence.ts'
import type { OrgContext } from '#services/members/membership.ts'
import { type Found, orgOf } from '../channel-list.ts'
import type { Listener } from '../define-channel.ts'
import { ChannelNotFound, ChannelWithoutPresence, RealtimeDisabled } from '../errors.ts'
import type { Presence, PresenceCount } from './queries.ts'

/** Who knows who listens: this service, or a Centrifugo cluster. */
export interface PresenceSource {
  count(channel: string, db: OrgDatabase): Promise<PresenceCount>
  /** The connections, no more than 1000. */
  list(channel: string, db: OrgDatabase): Promise<readonly Pick<Presence, 'client' | 'caller'>[]>
}

/** The parts that the question needs who listens. */
export interface PresenceContext extends Context {
  readonly presence: {
    /** Undefined where nothing is told live. */
    readonly source: PresenceSource | undefined
    /** Returns the channel of a name if a listener may hear it now. */
    find(listener: Listener, name: string): Promise<Found<never> | undefined>
  }
}

const OF_API_KEY = 'api_key:'

/**
 * Returns who listens to a channel of the organization, to somebody who may.
 *
 * @throws RealtimeDisabled, ChannelNotFound, ChannelWithoutPresence, RealtimeUnavailable
 */
export async function get(
  { db, presence }: OrgContext<PresenceContext>,
  listener: Listener,
  channel: string,
): Promise<ChannelPresence> {
  const { source } = presence
  if (source === undefined) throw new RealtimeDisabled()
  const found = await presence.find(listener, channel)
  // One of another organization does not exist here, even for somebody who is a member of both.
  if (found === undefined || orgOf(found.params) !== db.org) throw new ChannelNotFound()
  if (!found.channel.hasPresence) throw new ChannelWithoutPresence()
  const [{ clients, callers }, list] = await Promise.all([
    source.count(channel, db),
    source.list(channel, db),
  ])
  return {
    channel,
    client_count: clients,
    caller_count: callers,
    clients: list.map(({ client, caller }) => {
      const isKey = caller.startsWith(OF_API_KEY)
      return {
        id: client,
        user_id: isKey ? null : caller,
        api_key_id: isKey ? caller.slice(OF_API_KEY.length) : null,
      }
    }),
  }
}
