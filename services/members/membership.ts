import type { Context } from '#lib/context.ts'
import type { Database } from '#lib/database/database.ts'
import { OrgDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import type { MemberRole } from '#schemas/organizations.ts'
import { isAtLeast, PERMISSIONS, type Permission } from './permissions.ts'

type MembershipParts = Pick<Membership, 'org' | 'user' | 'role' | 'isDeleted' | 'isSuspended'>

/** The rights of one user in one organization, as the database had them. */
export class Membership {
  readonly org: string
  readonly user: string
  readonly role: MemberRole
  /** Whether the organization is deleted, and can only be restored. */
  readonly isDeleted: boolean
  /** Whether the operator has suspended the organization. */
  readonly isSuspended: boolean
  // Makes the type nominal: an object that only looks like one is refused.
  readonly #isRead = true

  constructor(row: MembershipParts) {
    this.org = row.org
    this.user = row.user
    this.role = row.role
    this.isDeleted = row.isDeleted
    this.isSuspended = row.isSuspended
  }

  static is(value: object): value is Membership {
    return #isRead in value
  }

  may(permission: Permission): boolean {
    return isAtLeast(this.role, PERMISSIONS[permission])
  }
}

/**
 * The context of work for one organization: its database sees the organization's rows, and no others. Whose work it is
 * does not show: a member's or that of an API key.
 */
export type OrgContext<C extends { db: Database } = Context> = C & { readonly db: OrgDatabase }

/** The context of work that only people do: with the rights of the member. An API key never has it. */
export type MemberContext<C extends { db: Database } = Context> = OrgContext<C> & {
  readonly member: Membership
}

/** Returns the context for work in the member's organization. */
export function forMember<C extends { db: Database }>(ctx: C, member: Membership): MemberContext<C> {
  return { ...ctx, db: new OrgDatabase(ctx.db, member.org, member.user), member }
}

/** The context of work for one person: of the tenant tables its database sees their own rows, and no organization's. */
export type PersonalContext<C extends { db: Database } = Context> = C & { readonly db: UserDatabase }

/** Returns the context for work with what a person has without an organization. */
export function forPerson<C extends { db: Database }>(ctx: C, user: string): PersonalContext<C> {
  return { ...ctx, db: new UserDatabase(ctx.db, user) }
}
