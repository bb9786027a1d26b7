import {
  organizationDeleted,
  organizationReopened,
  organizationRestored,
  organizationSuspended,
  organizationUpdated,
  ownershipTransferred,
} from '#services/organizations/events.ts'
import { defineChannel, ofOrganization } from '#services/realtime/define-channel.ts'
import { memberAdded, memberRemoved, memberUpdated } from './events.ts'
import { membersWith } from './listening.ts'

export const organizationChannel = defineChannel({
  name: 'organizations:{organization_id}',
  description: 'What happens to an organization and its members.',
  events: [
    ...[organizationUpdated, organizationDeleted, organizationRestored, organizationSuspended],
    ...[organizationReopened, ownershipTransferred, memberAdded, memberUpdated, memberRemoved],
  ],
  paramsOf: ofOrganization,
  authorize: membersWith('organization:read'),
  hasPresence: true,
})
