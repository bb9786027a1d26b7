/** Who asks, in the order of the expectations below. `user` is whose account the request is about. */
export const ACTORS = ['none', 'expired', 'user', 'other', 'admin', 'deactivated'] as const
export type Actor = (typeof ACTORS)[number]

/** The answer to each of them: a status, or the status and code of an error. */
export type Expectation = Readonly<Record<Actor, number | `${number} ${string}`>>

/** Anybody may ask, and a token makes no difference. */
const everybody = (status: number): Expectation => ({
  none: status,
  expired: status,
  user: status,
  other: status,
  admin: status,
  deactivated: status,
})

/** Every signed-in user may, for oneself. */
const everyUser = (status: number): Expectation => ({
  ...everybody(status),
  none: '401 unauthenticated',
  expired: '401 unauthenticated',
  deactivated: '401 unauthenticated',
})

/** The user itself may, and admins. */
const ownerAndAdmins = (status: number): Expectation => ({ ...everyUser(status), other: '403 forbidden' })

const onlyOwner = (status: number, otherwise: `${number} ${string}`): Expectation => ({
  ...everyUser(status),
  other: otherwise,
  admin: otherwise,
})

const onlyAdmins = (status: number): Expectation => ({ ...ownerAndAdmins(status), user: '403 forbidden' })

/** Members may, here the owner; for all others there is nothing. */
const onlyMembers = (status: number) => onlyOwner(status, '404 organization_not_found')

/**
 * Who gets what from every operation, by operationId, when the request is right. A new operation needs its line
 * here; the matrix's test fails without it.
 */
export const EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  // For machines and for people who run the service.
  getHealth: everybody(200),
  getJsonWebKeySet: everybody(200),
  getLiveness: everybody(200),
  getMetrics: everybody(200),
  getReadiness: everybody(200),

  // The ways in.
  createUser: everybody(201),
  forgotPassword: everybody(202),
  login: everybody(200),
  refreshTokens: everybody(200),
  resendVerification: everybody(202),
  resetPassword: everybody(204),
  verifyEmail: everybody(204),
  // Who has the token of an invitation may, signed in or not.
  acceptInvitation: everybody(200),
  declineInvitation: everybody(204),
  inspectInvitation: everybody(200),

  // One's own account and sessions.
  changePassword: everyUser(204),
  deleteCurrentUser: everyUser(204),
  endOtherSessions: everyUser(204),
  getCurrentUser: everyUser(200),
  listCurrentUserInvitations: everyUser(200),
  listCurrentUserSessions: everyUser(200),
  logout: everyUser(204),
  reauthenticate: everyUser(200),
  updateCurrentUser: everyUser(200),
  endSession: onlyOwner(204, '404 session_not_found'),

  // Accounts and their sessions.
  deleteUser: ownerAndAdmins(204),
  endUserSession: ownerAndAdmins(204),
  endUserSessions: ownerAndAdmins(204),
  getUser: ownerAndAdmins(200),
  listUserSessions: ownerAndAdmins(200),
  updateUser: ownerAndAdmins(200),

  // Organizations, and what they have. Roles of members: organizations.test.ts.
  createOrganization: everyUser(201),
  listOrganizations: everyUser(200),
  createInvitation: onlyMembers(201),
  createProject: onlyMembers(201),
  deleteInvitation: onlyMembers(204),
  deleteOrganization: onlyMembers(204),
  deleteProject: onlyMembers(204),
  getInvitation: onlyMembers(200),
  getMember: onlyMembers(200),
  getOrganization: onlyMembers(200),
  getProject: onlyMembers(200),
  leaveOrganization: onlyMembers(204),
  listInvitations: onlyMembers(200),
  listMembers: onlyMembers(200),
  listProjects: onlyMembers(200),
  removeMember: onlyMembers(204),
  resendInvitation: onlyMembers(200),
  restoreOrganization: onlyMembers(200),
  transferOwnership: onlyMembers(200),
  updateMember: onlyMembers(200),
  updateOrganization: onlyMembers(200),
  updateProject: onlyMembers(200),

  // What is for admins.
  changeLogLevels: onlyAdmins(200),
  getLogLevels: onlyAdmins(200),
  inviteUser: onlyAdmins(201),
  listAdministeredOrganizations: onlyAdmins(200),
  listUsers: onlyAdmins(200),
  restoreSuspendedOrganization: onlyAdmins(200),
  suspendOrganization: onlyAdmins(200),
}
