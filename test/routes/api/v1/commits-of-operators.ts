import { v7 as uuidv7 } from 'uuid'
import { sendMail } from '#services/mail/mail.ts'
import { actOnJobsJob } from '#services/operations/jobs.ts'
import * as sessionRecords from '#services/sessions/records.ts'
import type { TestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import type { Prepare } from './commits.ts'

const BASE = '/api/v1/operations'

const reason = 'Ticket 4711'

/** Sends an act of an admin. */
const act =
  (path: string, body: object = {}): Prepare =>
  async ({ request, signUp }) => {
    const as = await signUp({ role: 'admin' })
    const headers = { 'idempotency-key': uuidv7() }
    return () => request({ method: 'POST', url: BASE + path, as, headers, payload: { ...body, reason } })
  }

/** Operations of those who run the service, by their operationId. */
export const OPERATOR_OPERATIONS: Readonly<Record<string, Prepare>> = {
  changeLogLevels: async ({ app, request, signUp }) => {
    const as = await signUp({ role: 'admin' })
    const payload = { ...app.logLevels.current, reason }
    return () => request({ method: 'PUT', url: `${BASE}/log-level`, as, payload })
  },
  suspendOrganization: async (app) => {
    const { organization } = await createOrganization(app.app)
    return act(`/organizations/${organization.id}/suspend`)(app)
  },
  restoreSuspendedOrganization: async (app) => {
    const { organization } = await createOrganization(app.app)
    await (await act(`/organizations/${organization.id}/suspend`)(app))()
    return act(`/organizations/${organization.id}/restore`)(app)
  },
  appointOrganizationOwner: async (app) => {
    const { organization, add } = await createOrganization(app.app)
    const { user } = await add('member')
    return act(`/organizations/${organization.id}/owner`, { user_id: user.id })(app)
  },
  purgeOrganization: async (app) => {
    const { organization } = await createOrganization(app.app)
    await (await act(`/organizations/${organization.id}/suspend`)(app))()
    return act(`/organizations/${organization.id}/purge`)(app)
  },
  resendMail: async (app) => {
    const id = await sendMail(app.app.ctx, { template: 'already-registered', to: 'ada@example.com' })
    return act(`/mails/${id}/resend`)(app)
  },
  sendUserPasswordReset: async (app) => {
    const { user } = await app.signUp()
    return act(`/users/${user.id}/password-reset`)(app)
  },
  endAdministeredUserSessions: async (app) => {
    const { user } = await app.signUp()
    return act(`/users/${user.id}/sessions/end`)(app)
  },
  updateAdministeredUser: async ({ request, signUp }) => {
    const [as, { user }] = [await signUp({ role: 'admin' }), await signUp()]
    const payload = { is_active: false, reason }
    return () => request({ method: 'PATCH', url: `${BASE}/users/${user.id}`, as, payload })
  },
  startImpersonation: async (app) => {
    const { user } = await app.signUp()
    return act('/impersonations', { user_id: user.id, minutes: 5 })(app)
  },
  stopImpersonation: async (app) => {
    const [{ user }, admin] = [await app.signUp(), await app.signUp({ role: 'admin' })]
    const terms = { impersonator: admin.user.id, reason, lifetimeMs: 60_000 }
    const { sessionId } = await sessionRecords.impersonate(app.app.ctx, user, terms)
    return act(`/impersonations/${sessionId}/stop`)(app)
  },
  pauseQueue: async (app) => {
    await app.db.query('DELETE FROM paused_queues')
    return act('/queues/cleanup/pause')(app)
  },
  resumeQueue: async (app) => {
    await app.db.query("INSERT INTO paused_queues (name) VALUES ('cleanup') ON CONFLICT DO NOTHING")
    return act('/queues/cleanup/resume')(app)
  },
  runScheduleNow: async (app) => {
    // A process that works has made it.
    await app.db.query(
      `INSERT INTO pgboss.schedule (name, cron, timezone) VALUES ('cleanup', '17 * * * *', 'UTC')
       ON CONFLICT DO NOTHING`,
    )
    return act('/schedules/cleanup/run')(app)
  },
  createJobAction: async (app) => {
    const id = await enqueue(app)
    return act('/job-actions', { action: 'delete', jobs: { ids: [id] } })(app)
  },
  'createJobAction: by and by': async (app) => {
    await app.db.query(
      "INSERT INTO pgboss.job (name, data) SELECT 'cleanup', '{}' FROM generate_series(1, 101)",
    )
    return act('/job-actions', { action: 'cancel', jobs: { filter: { queue: 'cleanup' } } })(app)
  },
  stopJobAction: async (app) => act(`/job-actions/${await runningAction(app)}/stop`)(app),
}

function enqueue({ app }: TestApp): Promise<string> {
  return app.jobs.runNow(app.db, actOnJobsJob.name)
}

/** An action that nobody works on. */
async function runningAction({ db }: TestApp): Promise<string> {
  const id = uuidv7()
  await db.query(
    `INSERT INTO job_actions (id, action, selection, reason, status, total)
     VALUES ($1, 'delete', '{"filter":{}}', 'a test', 'running', 1000)`,
    [id],
  )
  return id
}
