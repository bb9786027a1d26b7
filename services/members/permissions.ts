import type { MemberRole } from '#schemas/organizations.ts'

/** Rights that a route below an organization can ask for, each with the least role that has it. */
export const PERMISSIONS = {
  'organization:read': 'member',
  'organization:write': 'admin',
  'organization:delete': 'owner',
  'organization:restore': 'owner',
  'organization:leave': 'member',
  'members:read': 'member',
  'members:write': 'admin',
  'invitations:read': 'admin',
  'invitations:write': 'admin',
  'audit:read': 'admin',
  'ownership:transfer': 'owner',
  'api-keys:read': 'admin',
  'api-keys:write': 'admin',
  'webhooks:read': 'admin',
  'webhooks:write': 'admin',
  'files:read': 'member',
  'files:write': 'member',
  'files:delete': 'member',
  'files:share': 'member',
  'projects:read': 'member',
  'projects:write': 'member',
  'projects:delete': 'admin',
} as const satisfies Readonly<Record<string, MemberRole>>

export type Permission = keyof typeof PERMISSIONS

const RANKS: Readonly<Record<MemberRole, number>> = { member: 1, admin: 2, owner: 3 }

/** Whether a role may do what another one may. */
export function isAtLeast(role: MemberRole, least: MemberRole): boolean {
  return RANKS[role] >= RANKS[least]
}

/** The roles that have a permission, lowest first. */
export function rolesWith(permission: Permission): MemberRole[] {
  const roles: MemberRole[] = ['member', 'admin', 'owner']
  return roles.filter((role) => isAtLeast(role, PERMISSIONS[permission]))
}
