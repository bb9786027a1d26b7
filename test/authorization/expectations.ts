/** Who asks, in the order of the expectations below. `user` is whose account the request is about. */
export const ACTORS = [
  'none',
  'expired',
  'user',
  'other',
  'admin',
  'deactivated',
  // Keys of the organization in the path: with every scope, without the one that is needed, and one that has expired.
  'key',
  'keyWithoutScope',
  'expiredKey',
] as const
export type Actor = (typeof ACTORS)[number]

/** The answer to each of them: a status, or the status and code of an error. */
export type Expectation = Readonly<Record<Actor, Answer>>

type Answer = number | `${number} ${string}`

/** Anybody may ask, and a token makes no difference. */
const everybody = (status: Answer): Expectation => ({
  none: status,
  expired: status,
  user: status,
  other: status,
  admin: status,
  deactivated: status,
  key: status,
  keyWithoutScope: status,
  expiredKey: status,
})

/** Every signed-in user may, for oneself; no key. */
const everyUser = (status: Answer): Expectation => ({
  ...everybody(status),
  none: '401 unauthenticated',
  expired: '401 unauthenticated',
  deactivated: '401 unauthenticated',
  key: '403 api_key_not_allowed',
  keyWithoutScope: '403 api_key_not_allowed',
  expiredKey: '401 unauthenticated',
})

/** The user itself may, and admins. */
const ownerAndAdmins = (status: number): Expectation => ({ ...everyUser(status), other: '403 forbidden' })

const onlyOwner = (status: Answer, otherwise: `${number} ${string}`): Expectation => ({
  ...everyUser(status),
  other: otherwise,
  admin: otherwise,
})

const onlyAdmins = (status: number): Expectation => ({ ...ownerAndAdmins(status), user: '403 forbidden' })

/** Admins may; for everybody else there is nothing at the URL. */
const onlyOperators = (status: number): Expectation => ({
  ...everybody(status),
  none: '404 route_not_found',
  expired: '401 unauthenticated',
  user: '404 route_not_found',
  other: '404 route_not_found',
  deactivated: '401 unauthenticated',
  key: '404 route_not_found',
  keyWithoutScope: '404 route_not_found',
  expiredKey: '401 unauthenticated',
})

/** Members may, here the owner; for all others there is nothing. */
const onlyMembers = (status: Answer) => onlyOwner(status, '404 organization_not_found')

/** Members may, and keys that have the scope. */
const membersAndKeys = (status: Answer): Expectation => ({
  ...onlyMembers(status),
  key: status,
  keyWithoutScope: '403 insufficient_scope',
})

/** Keys may, whatever their scopes. */
const onlyKeys = (status: number): Expectation => ({
  ...onlyAdmins(status),
  admin: '403 forbidden',
  key: status,
  keyWithoutScope: status,
})

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
  getCurrentSession: everyUser(200),
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

  // Events.
  listEventTypes: everyUser(200),
  // The example's channel is nobody's here; a stream has no end to wait for.
  streamRealtimeEvents: {
    ...everyUser(200),
    user: '404 channel_not_found',
    other: '404 channel_not_found',
    admin: '404 channel_not_found',
    key: '404 channel_not_found',
    keyWithoutScope: '404 channel_not_found',
  },
  getChannelPresence: membersAndKeys(200),
  // One's own files.
  createFile: everyUser(201),
  createFileWithContent: everyUser(201),
  createFileLink: onlyOwner(200, '404 file_not_found'),
  deleteFile: onlyOwner(204, '404 file_not_found'),
  getCurrentUserAvatar: everyUser(200),
  getCurrentUserAvatarVariant: everyUser(202),
  getFile: onlyOwner(200, '404 file_not_found'),
  getFileContent: onlyOwner(200, '404 file_not_found'),
  getFileVariant: onlyOwner(202, '404 file_not_found'),
  getStorageUsage: everyUser(200),
  listFiles: everyUser(200),
  putFileContent: onlyOwner(200, '404 file_not_found'),
  restoreFile: onlyOwner(200, '404 file_not_found'),
  setCurrentUserAvatar: everyUser(200),
  updateFile: onlyOwner(200, '404 file_not_found'),
  appendUpload: onlyOwner(204, '404 upload_not_found'),
  // The store of these tests is local, and takes nothing from clients.
  completeUpload: everyUser('404 direct_uploads_unavailable'),
  createDirectUpload: everyUser('404 direct_uploads_unavailable'),
  signUploadParts: everyUser('404 direct_uploads_unavailable'),
  createUpload: everyUser(201),
  deleteUpload: onlyOwner(204, '404 upload_not_found'),
  getUpload: onlyOwner(200, '404 upload_not_found'),
  // Who has a link may.
  getSharedFile: everybody(200),

  // An organization's files.
  createOrganizationFile: membersAndKeys(201),
  createOrganizationFileWithContent: membersAndKeys(201),
  createOrganizationFileLink: membersAndKeys(200),
  deleteOrganizationFile: membersAndKeys(204),
  getOrganizationFile: membersAndKeys(200),
  getOrganizationFileContent: membersAndKeys(200),
  getOrganizationFileVariant: membersAndKeys(202),
  getOrganizationStorageUsage: membersAndKeys(200),
  listOrganizationFiles: membersAndKeys(200),
  putOrganizationFileContent: membersAndKeys(200),
  restoreOrganizationFile: membersAndKeys(200),
  updateOrganizationFile: membersAndKeys(200),
  appendOrganizationUpload: membersAndKeys(204),
  completeOrganizationUpload: membersAndKeys('404 direct_uploads_unavailable'),
  createDirectOrganizationUpload: membersAndKeys('404 direct_uploads_unavailable'),
  signOrganizationUploadParts: membersAndKeys('404 direct_uploads_unavailable'),
  createOrganizationUpload: membersAndKeys(201),
  deleteOrganizationUpload: membersAndKeys(204),
  getOrganizationUpload: membersAndKeys(200),

  // Organizations, and what they have. Roles of members: organizations.test.ts.
  createApiKey: onlyMembers(201),
  createWebhook: onlyMembers(201),
  deleteWebhook: onlyMembers(204),
  getWebhook: onlyMembers(200),
  getWebhookDelivery: onlyMembers(200),
  getWebhookSecret: onlyMembers(200),
  listWebhookDeliveries: onlyMembers(200),
  listWebhooks: onlyMembers(200),
  recoverWebhookDeliveries: onlyMembers(200),
  retryWebhookDelivery: onlyMembers(200),
  rotateWebhookSecret: onlyMembers(200),
  testWebhook: onlyMembers(201),
  updateWebhook: onlyMembers(200),
  createInvitation: onlyMembers(201),
  createOrganization: everyUser(201),
  createProject: membersAndKeys(201),
  deleteInvitation: onlyMembers(204),
  deleteOrganization: onlyMembers(204),
  deleteProject: membersAndKeys(204),
  exportAuditEntries: onlyMembers(200),
  getApiKey: onlyMembers(200),
  getAuditEntry: onlyMembers(200),
  getAuditHead: onlyMembers(200),
  getCurrentApiKey: onlyKeys(200),
  getInvitation: onlyMembers(200),
  getMember: membersAndKeys(200),
  getOrganization: onlyMembers(200),
  getProject: membersAndKeys(200),
  leaveOrganization: onlyMembers(204),
  listApiKeys: onlyMembers(200),
  listAuditEntries: onlyMembers(200),
  listInvitations: onlyMembers(200),
  listMembers: membersAndKeys(200),
  listOrganizations: everyUser(200),
  listProjects: membersAndKeys(200),
  removeMember: onlyMembers(204),
  resendInvitation: onlyMembers(200),
  restoreOrganization: onlyMembers(200),
  revokeApiKey: onlyMembers(204),
  rotateApiKey: onlyMembers(201),
  transferOwnership: onlyMembers(200),
  updateApiKey: onlyMembers(200),
  updateMember: onlyMembers(200),
  updateOrganization: onlyMembers(200),
  updateProject: membersAndKeys(200),

  // What is for admins.
  inviteUser: onlyAdmins(201),
  listUsers: onlyAdmins(200),

  // What people who run the service do.
  changeLogLevels: onlyOperators(200),
  appointOrganizationOwner: onlyOperators(200),
  createJobAction: onlyOperators(201),
  endAdministeredUserSessions: onlyOperators(200),
  getAdministeredOrganization: onlyOperators(200),
  getAdministeredUser: onlyOperators(200),
  exportPlatformAuditEntries: onlyOperators(200),
  getAuditVerification: onlyOperators(200),
  getHealthSummary: onlyOperators(200),
  getJob: onlyOperators(200),
  getJobAction: onlyOperators(200),
  getLogLevels: onlyOperators(200),
  getMail: onlyOperators(200),
  getPlatformAuditEntry: onlyOperators(200),
  getStorageLimit: onlyOperators(200),
  listAdministeredUserFiles: onlyOperators(200),
  listAdministeredUserOrganizations: onlyOperators(200),
  listAdministeredUserSessions: onlyOperators(200),
  listMailTemplates: onlyOperators(200),
  listMails: onlyOperators(200),
  listAdministeredOrganizations: onlyOperators(200),
  listFailingWebhooks: onlyOperators(200),
  listImpersonations: onlyOperators(200),
  listJobActions: onlyOperators(200),
  listJobs: onlyOperators(200),
  listPlatformAuditEntries: onlyOperators(200),
  listQuarantinedFiles: onlyOperators(200),
  listQueues: onlyOperators(200),
  listSchedules: onlyOperators(200),
  listSettings: onlyOperators(200),
  pauseQueue: onlyOperators(200),
  previewJobAction: onlyOperators(200),
  previewMail: onlyOperators(200),
  purgeOrganization: onlyOperators(202),
  releaseQuarantinedFile: onlyOperators(204),
  resendMail: onlyOperators(201),
  searchUsers: onlyOperators(200),
  sendUserPasswordReset: onlyOperators(202),
  updateAdministeredUser: onlyOperators(200),
  updateStorageLimit: onlyOperators(200),
  restoreSuspendedOrganization: onlyOperators(200),
  resumeQueue: onlyOperators(200),
  runScheduleNow: onlyOperators(202),
  startImpersonation: onlyOperators(200),
  stopImpersonation: onlyOperators(200),
  stopJobAction: onlyOperators(200),
  suspendOrganization: onlyOperators(200),
}
