import type { Context } from '#lib/context.ts'
import { passwordChanged, passwordReset } from '#services/account/events.ts'
import { apiKeyRevoked, apiKeyRotated, apiKeyUpdated } from '#services/api-keys/events.ts'
import { acceptedKeyIds } from '#services/api-keys/listeners.ts'
import type { DataOf, EventType } from '#services/events/define-event.ts'
import type { OutboxEvent } from '#services/events/sink.ts'
import { memberRemoved, memberUpdated } from '#services/members/events.ts'
import { memberIds } from '#services/members/listeners.ts'
import {
  organizationDeleted,
  organizationSuspended,
  ownershipTransferred,
} from '#services/organizations/events.ts'
import { sessionsEnded } from '#services/sessions/events.ts'
import { userDeleted, userUpdated } from '#services/users/events.ts'

const typesOf = (...types: readonly EventType[]) => new Set(types.map(({ type }) => type))

/** Events after which a user may hear less. */
const OF_USERS = typesOf(
  ...[sessionsEnded, userUpdated, userDeleted, passwordChanged, passwordReset],
  ...[memberRemoved, memberUpdated],
)
/** The same for an API key, */
const OF_API_KEYS = typesOf(apiKeyUpdated, apiKeyRotated, apiKeyRevoked)
/** and for everybody in an organization. */
const OF_ORGANIZATIONS = typesOf(organizationSuspended, organizationDeleted)

/** Returns who may hear less after an event, as `principalId` names them. */
export async function doubtedBy(ctx: Pick<Context, 'db'>, event: OutboxEvent): Promise<string[]> {
  const { type, subject, organization_id: org } = event
  if (OF_USERS.has(type)) return mayHearLess(event) ? [subject.id] : []
  if (OF_API_KEYS.has(type)) return [`api_key:${subject.id}`]
  if (type === ownershipTransferred.type) return [giverOf(event)]
  if (org === null || !OF_ORGANIZATIONS.has(type)) return []
  const [users, keys] = await Promise.all([memberIds(ctx, org), acceptedKeyIds(ctx, org)])
  return [...users, ...keys.map((id) => `api_key:${id}`)]
}

/** The one who is an owner no more. */
function giverOf({ data }: OutboxEvent): string {
  const { from }: DataOf<typeof ownershipTransferred> = JSON.parse(data)
  return from
}

/** Another name changes nothing. Another role does: channels are declared for admins. */
function mayHearLess({ type, data }: OutboxEvent): boolean {
  if (type !== userUpdated.type) return true
  const { changed }: { changed?: unknown } = JSON.parse(data)
  return Array.isArray(changed) && ['is_active', 'role'].some((name) => changed.includes(name))
}
