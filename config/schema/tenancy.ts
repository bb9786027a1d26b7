import { Type } from '@sinclair/typebox'
import { Duration, Section } from './kinds.ts'

/** Keys below `tenancy`. */
export const Tenancy = Section('Organizations.', {
  organizations_per_user: Type.Integer({
    minimum: 0,
    maximum: 10_000,
    description: 'How many organizations one account may own; with 0 nobody creates one.',
  }),
  members_per_organization: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: 'How many members an organization may have.',
  }),
  invitation_lifetime: Duration({
    minimum: '1ms',
    maximum: '365d',
    description: 'How long an invitation into an organization can be accepted.',
  }),
  invitations_per_organization: Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    description: 'Mails with invitations that one organization can send in a day.',
  }),
  invitations_per_address: Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    description:
      'Mails with invitations that one address is sent in a day, whichever organizations send them.',
  }),
  api_keys_per_organization: Type.Integer({
    minimum: 0,
    maximum: 10_000,
    description: 'How many API keys an organization may have that have not ended; with 0 nobody creates one.',
  }),
  deletion_grace: Duration({
    minimum: '0ms',
    maximum: '3650d',
    description: 'How long an owner can restore a deleted organization; after that all its rows are deleted.',
  }),
})
