import type { RouteOptions } from 'fastify'
import t, { type Test } from 'tap'
import { createTestApp } from '#test/support/helper.ts'

/** Every operation and who may call it. A route that is not here has been added by accident, or this list is next. */
const EXPECTED = [
  'GET /api/v1/auth/sessions/current getCurrentSession user',
  'GET /api/v1/operations/impersonations listImpersonations operator',
  'POST /api/v1/operations/impersonations startImpersonation operator',
  'POST /api/v1/operations/impersonations/:id/stop stopImpersonation operator',
  'GET /api/v1/operations/settings listSettings operator',
  'GET /api/v1/operations/mail-templates listMailTemplates operator',
  'GET /api/v1/operations/mail-templates/:template previewMail operator',
  'GET /api/v1/operations/mails listMails operator',
  'GET /api/v1/operations/mails/:id getMail operator',
  'GET /api/v1/operations/users searchUsers operator',
  'GET /api/v1/operations/users/:id getAdministeredUser operator',
  'GET /api/v1/operations/users/:id/files listAdministeredUserFiles operator',
  'GET /api/v1/operations/users/:id/organizations listAdministeredUserOrganizations operator',
  'GET /api/v1/operations/users/:id/sessions listAdministeredUserSessions operator',
  'PATCH /api/v1/operations/users/:id updateAdministeredUser operator',
  'POST /api/v1/operations/mails/:id/resend resendMail operator',
  'POST /api/v1/operations/users/:id/password-reset sendUserPasswordReset operator',
  'POST /api/v1/operations/users/:id/sessions/end endAdministeredUserSessions operator',
  'GET /api/v1/operations/audit-verification getAuditVerification operator',
  'GET /api/v1/operations/health getHealthSummary operator',
  'GET /api/v1/operations/job-actions listJobActions operator',
  'GET /api/v1/operations/job-actions/:id getJobAction operator',
  'GET /api/v1/operations/jobs listJobs operator',
  'GET /api/v1/operations/jobs/:id getJob operator',
  'GET /api/v1/operations/queues listQueues operator',
  'GET /api/v1/operations/schedules listSchedules operator',
  'POST /api/v1/operations/job-actions createJobAction operator',
  'POST /api/v1/operations/job-actions/:id/stop stopJobAction operator',
  'POST /api/v1/operations/job-actions/preview previewJobAction operator',
  'POST /api/v1/operations/queues/:name/pause pauseQueue operator',
  'POST /api/v1/operations/queues/:name/resume resumeQueue operator',
  'POST /api/v1/operations/schedules/:queue/run runScheduleNow operator',
  'DELETE /api/v1/organizations/:organization_id/webhooks/:id deleteWebhook user',
  'GET /api/v1/organizations/:organization_id/webhooks listWebhooks user',
  'GET /api/v1/organizations/:organization_id/webhooks/:id getWebhook user',
  'GET /api/v1/organizations/:organization_id/webhooks/:id/deliveries listWebhookDeliveries user',
  'GET /api/v1/organizations/:organization_id/webhooks/:id/deliveries/:delivery_id getWebhookDelivery user',
  'GET /api/v1/organizations/:organization_id/webhooks/:id/secret getWebhookSecret user',
  'PATCH /api/v1/organizations/:organization_id/webhooks/:id updateWebhook user',
  'POST /api/v1/organizations/:organization_id/webhooks createWebhook user',
  'POST /api/v1/organizations/:organization_id/webhooks/:id/deliveries/:delivery_id/retry retryWebhookDelivery user',
  'POST /api/v1/organizations/:organization_id/webhooks/:id/recover recoverWebhookDeliveries user',
  'POST /api/v1/organizations/:organization_id/webhooks/:id/rotate rotateWebhookSecret user',
  'POST /api/v1/organizations/:organization_id/webhooks/:id/test testWebhook user',
  'DELETE /api/v1/uploads/:id deleteUpload user',
  'GET /api/v1/uploads/:id getUpload user',
  'PATCH /api/v1/uploads/:id appendUpload user',
  'POST /api/v1/uploads createUpload user',
  'DELETE /api/v1/organizations/:organization_id/uploads/:id deleteOrganizationUpload user',
  'GET /api/v1/organizations/:organization_id/uploads/:id getOrganizationUpload user',
  'PATCH /api/v1/organizations/:organization_id/uploads/:id appendOrganizationUpload user',
  'POST /api/v1/organizations/:organization_id/uploads createOrganizationUpload user',
  'DELETE /api/v1/files/:id deleteFile user',
  'GET /api/v1/files listFiles user',
  'GET /api/v1/files/:id getFile user',
  'GET /api/v1/files/:id/content getFileContent user',
  'GET /api/v1/files/:id/variants/:name getFileVariant user',
  'GET /api/v1/files/usage getStorageUsage user',
  'GET /api/v1/shared-files/:id getSharedFile public',
  'GET /api/v1/users/me/avatar getCurrentUserAvatar user',
  'GET /api/v1/users/me/avatar/variants/:name getCurrentUserAvatarVariant user',
  'PATCH /api/v1/files/:id updateFile user',
  'POST /api/v1/files createFile user',
  'POST /api/v1/files/content createFileWithContent user',
  'POST /api/v1/files/:id/links createFileLink user',
  'POST /api/v1/files/:id/restore restoreFile user',
  'POST /api/v1/direct-uploads createDirectUpload user',
  'POST /api/v1/direct-uploads/:id/complete completeUpload user',
  'POST /api/v1/direct-uploads/:id/parts signUploadParts user',
  'POST /api/v1/organizations/:organization_id/direct-uploads createDirectOrganizationUpload user',
  'POST /api/v1/organizations/:organization_id/direct-uploads/:id/complete completeOrganizationUpload user',
  'POST /api/v1/organizations/:organization_id/direct-uploads/:id/parts signOrganizationUploadParts user',
  'PUT /api/v1/files/:id/content putFileContent user',
  'PUT /api/v1/users/me/avatar setCurrentUserAvatar user',
  'DELETE /api/v1/organizations/:organization_id/files/:id deleteOrganizationFile user',
  'GET /api/v1/organizations/:organization_id/files listOrganizationFiles user',
  'GET /api/v1/organizations/:organization_id/files/:id getOrganizationFile user',
  'GET /api/v1/organizations/:organization_id/files/:id/content getOrganizationFileContent user',
  'GET /api/v1/organizations/:organization_id/files/:id/variants/:name getOrganizationFileVariant user',
  'GET /api/v1/organizations/:organization_id/files/usage getOrganizationStorageUsage user',
  'PATCH /api/v1/organizations/:organization_id/files/:id updateOrganizationFile user',
  'POST /api/v1/organizations/:organization_id/files createOrganizationFile user',
  'POST /api/v1/organizations/:organization_id/files/content createOrganizationFileWithContent user',
  'POST /api/v1/organizations/:organization_id/files/:id/links createOrganizationFileLink user',
  'POST /api/v1/organizations/:organization_id/files/:id/restore restoreOrganizationFile user',
  'PUT /api/v1/organizations/:organization_id/files/:id/content putOrganizationFileContent user',
  'DELETE /api/v1/organizations/:organization_id/api-keys/:id revokeApiKey user',
  'GET /api/v1/api-keys/current getCurrentApiKey api_key',
  'GET /api/v1/organizations/:organization_id/api-keys listApiKeys user',
  'GET /api/v1/organizations/:organization_id/api-keys/:id getApiKey user',
  'PATCH /api/v1/organizations/:organization_id/api-keys/:id updateApiKey user',
  'POST /api/v1/organizations/:organization_id/api-keys createApiKey user',
  'POST /api/v1/organizations/:organization_id/api-keys/:id/rotate rotateApiKey user',
  'DELETE /api/v1/auth/sessions endOtherSessions user',
  'DELETE /api/v1/auth/sessions/:id endSession user',
  'DELETE /api/v1/organizations/:organization_id deleteOrganization user',
  'DELETE /api/v1/organizations/:organization_id/invitations/:id deleteInvitation user',
  'DELETE /api/v1/organizations/:organization_id/members/:user_id removeMember user',
  'DELETE /api/v1/organizations/:organization_id/projects/:id deleteProject user',
  'GET /api/v1/event-types listEventTypes user',
  'GET /api/v1/organizations listOrganizations user',
  'GET /api/v1/organizations/:organization_id getOrganization user',
  'GET /api/v1/operations/audit-entries listPlatformAuditEntries operator',
  'GET /api/v1/operations/audit-entries/:id getPlatformAuditEntry operator',
  'GET /api/v1/operations/audit-entries/export exportPlatformAuditEntries operator',
  'GET /api/v1/organizations/:organization_id/audit-entries listAuditEntries user',
  'GET /api/v1/organizations/:organization_id/audit-entries/:id getAuditEntry user',
  'GET /api/v1/organizations/:organization_id/audit-entries/export exportAuditEntries user',
  'GET /api/v1/organizations/:organization_id/audit-head getAuditHead user',
  'GET /api/v1/organizations/:organization_id/invitations listInvitations user',
  'GET /api/v1/organizations/:organization_id/invitations/:id getInvitation user',
  'GET /api/v1/organizations/:organization_id/members listMembers user',
  'GET /api/v1/organizations/:organization_id/members/:user_id getMember user',
  'GET /api/v1/organizations/:organization_id/presence getChannelPresence user',
  'GET /api/v1/organizations/:organization_id/projects listProjects user',
  'GET /api/v1/organizations/:organization_id/projects/:id getProject user',
  'PATCH /api/v1/organizations/:organization_id updateOrganization user',
  'PATCH /api/v1/organizations/:organization_id/members/:user_id updateMember user',
  'PATCH /api/v1/organizations/:organization_id/projects/:id updateProject user',
  'POST /api/v1/organizations createOrganization user',
  'POST /api/v1/organizations/:organization_id/invitations createInvitation user',
  'POST /api/v1/organizations/:organization_id/invitations/:id/resend resendInvitation user',
  'POST /api/v1/organizations/:organization_id/leave leaveOrganization user',
  'POST /api/v1/organizations/:organization_id/ownership transferOwnership user',
  'POST /api/v1/organizations/:organization_id/projects createProject user',
  'POST /api/v1/organizations/:organization_id/restore restoreOrganization user',
  'DELETE /api/v1/users/:id deleteUser user',
  'DELETE /api/v1/users/:id/sessions endUserSessions user',
  'DELETE /api/v1/users/:id/sessions/:session_id endUserSession user',
  'DELETE /api/v1/users/me deleteCurrentUser user',
  'GET /.well-known/jwks.json getJsonWebKeySet anyone',
  'GET /api/v1/auth/sessions listCurrentUserSessions user',
  'GET /api/v1/operations/files/limits/:id getStorageLimit operator',
  'GET /api/v1/operations/files/quarantine listQuarantinedFiles operator',
  'GET /api/v1/operations/log-level getLogLevels operator',
  'GET /api/v1/operations/organizations listAdministeredOrganizations operator',
  'GET /api/v1/operations/organizations/:id getAdministeredOrganization operator',
  'GET /api/v1/operations/webhooks listFailingWebhooks operator',
  'GET /api/v1/users listUsers admin',
  'GET /api/v1/users/:id getUser user',
  'GET /api/v1/users/:id/sessions listUserSessions user',
  'GET /api/v1/users/me getCurrentUser user',
  'GET /api/v1/users/me/invitations listCurrentUserInvitations user',
  'GET /health getHealth anyone',
  'GET /live getLiveness anyone',
  'GET /metrics getMetrics anyone',
  'GET /ready getReadiness anyone',
  'GET /realtime/events streamRealtimeEvents caller',
  'PATCH /api/v1/operations/files/limits/:id updateStorageLimit operator',
  'PATCH /api/v1/users/:id updateUser user',
  'PATCH /api/v1/users/me updateCurrentUser user',
  'POST /api/v1/auth/email/resend resendVerification public',
  'POST /api/v1/auth/email/verify verifyEmail public',
  'POST /api/v1/auth/login login public',
  'POST /api/v1/auth/logout logout user',
  'POST /api/v1/auth/password/forgot forgotPassword public',
  'POST /api/v1/auth/password/reset resetPassword public',
  'POST /api/v1/auth/reauthenticate reauthenticate user',
  'POST /api/v1/auth/refresh refreshTokens public',
  'POST /api/v1/invitations/accept acceptInvitation public',
  'POST /api/v1/invitations/decline declineInvitation public',
  'POST /api/v1/invitations/inspect inspectInvitation public',
  'POST /api/v1/operations/files/quarantine/:id/release releaseQuarantinedFile operator',
  'POST /api/v1/operations/organizations/:id/owner appointOrganizationOwner operator',
  'POST /api/v1/operations/organizations/:id/purge purgeOrganization operator',
  'POST /api/v1/operations/organizations/:id/restore restoreSuspendedOrganization operator',
  'POST /api/v1/operations/organizations/:id/suspend suspendOrganization operator',
  'POST /api/v1/users createUser public',
  'POST /api/v1/users/invitations inviteUser admin',
  'PUT /api/v1/operations/log-level changeLogLevels operator',
  'PUT /api/v1/users/me/password changePassword user',
]

/** Swagger UI's own. Some register before the test can see them, so they are asked for. */
const DOCS = [
  '/docs',
  '/docs/',
  '/docs/json',
  '/docs/yaml',
  '/docs/static/index.html',
  '/docs/static/swagger-initializer.js',
  '/docs/static/theme/page.css',
  '/docs/static/*',
]

/** Pages of accounts, with what they need; `email.pages` turns them off. */
const PAGES = [
  '/account',
  '/account/*',
  '/account/accept-invitation',
  '/account/account.css',
  '/account/account.js',
  '/account/choose-password',
  '/account/confirm-email',
  '/account/forgot-password',
  '/account/form.js',
  '/account/invitation.js',
  '/account/link-token.js',
  '/account/resend-verification',
  '/account/reset-password',
  '/account/verify-email',
]

/** The admin panel. Its session stands outside the API: only the panel's page may use it. */
const PANEL = ['/admin', '/admin/assets/:hash/*', '/admin/session']

const REALTIME = ['/realtime']

/** Refuses methods that no URL takes. */
const OTHER_METHODS = ['*']

/** The mailbox of development and tests. */
const MAILBOX = ['/dev/mail', '/dev/mail/:id', '/dev/mail/:id/html', '/dev/mail/messages']

t.test('the routes are these', async (t) => {
  const { app, routes } = await appWithRoutes(t)
  const described = routes
    .filter(({ method, schema }) => schema?.operationId && method !== 'HEAD')
    .map(describe)
  t.strictSame([...new Set(described)].sort(), EXPECTED.toSorted())

  const known = new Set(EXPECTED.map((line) => line.split(' ')[1]))
  for (const { url, schema } of routes) {
    const stripped = url.length > 1 ? url.replace(/\/$/, '') : url
    const isHidden = ['/', ...DOCS, ...PAGES, ...PANEL, ...REALTIME, ...OTHER_METHODS, ...MAILBOX].includes(
      url.startsWith('/docs') ? url : stripped,
    )
    t.ok(known.has(stripped) || isHidden, `${url} is of one of them`)
    t.ok(schema?.operationId ?? (schema && 'hide' in schema && schema.hide), `${url} is named or hidden`)
  }
  for (const url of [...DOCS, ...PAGES, ...REALTIME, ...MAILBOX])
    t.ok(app.hasRoute({ url, method: 'GET' }), url)
})

t.test('a product with pages of its own has none of ours', async (t) => {
  const { routes } = await appWithRoutes(t, {
    APP_EMAIL__PAGES: 'false',
    APP_EMAIL__LINK_BASE: 'https://app.example.com/account',
  })
  t.notOk(routes.some(({ url }) => url.startsWith('/account')))
})

t.test('where mail is sent there is no mailbox', async (t) => {
  const { routes } = await appWithRoutes(t, { APP_EMAIL__SMTP_URL: 'smtp://127.0.0.1:1' })
  t.notOk(routes.some(({ url }) => url.startsWith('/dev')))
})

async function appWithRoutes(t: Test, env: Record<string, string> = {}) {
  const routes: RouteOptions[] = []
  const { app } = await createTestApp(t, env, async (instance) => {
    instance.addHook('onRoute', (route) => {
      routes.push(route)
    })
  })
  return { app, routes }
}

function describe({ method, url, schema, config }: RouteOptions): string {
  return `${method} ${url} ${schema?.operationId} ${config?.access ?? 'anyone'}`
}
