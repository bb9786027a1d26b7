import { Type } from '@sinclair/typebox'
import { Duration, Section } from './kinds.ts'

/** Keys below `tenancy`. */
export const Tenancy = Section('Organizations.', {
  organizations_per_user: Type.Integer({
    minimum: 0,
    maximum: 10_000,
    description: 'How many organizations one account may own; with 0 nobody creates one.',
  }),
  deletion_grace: Duration({
    minimum: '0ms',
    maximum: '3650d',
    description: 'How long an owner can restore a deleted organization; after that all its rows are deleted.',
  }),
})
