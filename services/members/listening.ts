import type { ChannelParams, Listener } from '#services/realtime/define-channel.ts'
import type { MembershipsContext } from './members.ts'
import type { Permission } from './permissions.ts'

/**
 * Makes the `authorize` of an organization's channel: it is for the members who have a permission, and for the
 * organization's API keys that have it as a scope.
 */
export function membersWith(permission: Permission) {
  return async (
    { memberships }: MembershipsContext,
    listener: Listener,
    { organization_id: org = '' }: ChannelParams,
  ): Promise<boolean> => {
    if (listener.kind === 'api_key') {
      const { key } = listener
      return key.org === org && !key.isSuspended && key.may(permission)
    }
    const { user } = listener
    const membership = memberships.peek(org, user.id) ?? (await memberships.load(org, user.id))
    if (membership === undefined || membership.isDeleted || membership.isSuspended) return false
    return membership.may(permission)
  }
}
