import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { findJobs } from '#lib/jobs/find-jobs.ts'
import type { JobRun } from '#lib/jobs/jobs.ts'
import { erasePersonalDataJob } from '#services/audit/jobs.ts'
import { purgeOrganizationsJob } from '#services/organizations/jobs.ts'
import { moveSecurityEventsJob } from '#services/security-events/jobs.ts'
import { removeObjectsJob } from '#services/storage/jobs.ts'
import { purgeWebhookJob, skipDeliveriesJob } from '#services/webhooks/jobs.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createOrganization } from '#test/support/organizations.ts'

t.test('jobs that work through many rows stop when their process has to end', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web', APP_FILES__DIRECTORY: t.testdir() })
  const { ctx } = app
  const tenant = await createOrganization(app)
  const [org, user] = [tenant.organization.id, tenant.owner.user.id]
  const { id: endpoint } = await tenant.createWebhook()
  await db.query("UPDATE organizations SET deleted_at = now() - interval '1 year'")
  await db.query('UPDATE webhook_endpoints SET deleted_at = now()')
  await db.query('INSERT INTO security_events (id, kind, user_id) VALUES ($1, $2, $3)', [
    uuidv7(),
    'password_changed',
    user,
  ])

  const jobs: readonly (readonly [name: string, work: (run: JobRun) => Promise<void>])[] = [
    [purgeOrganizationsJob.name, (run) => purgeOrganizationsJob.handler(ctx, {}, run)],
    [purgeWebhookJob.name, (run) => purgeWebhookJob.handler(ctx, { org, endpoint }, run)],
    [skipDeliveriesJob.name, (run) => skipDeliveriesJob.handler(ctx, { org, endpoint, after: org }, run)],
    [moveSecurityEventsJob.name, (run) => moveSecurityEventsJob.handler(ctx, {}, run)],
    [erasePersonalDataJob.name, (run) => erasePersonalDataJob.handler(ctx, { user }, run)],
    [removeObjectsJob.name, (run) => removeObjectsJob.handler(ctx, {}, run)],
  ]
  const looking = (await findJobs()).filter(({ handler }) => String(handler).includes('throwIfAborted'))
  t.strictSame(
    looking.map(({ name }) => name).sort(),
    jobs.map(([name]) => name).sort(),
    'all that look at the signal themselves',
  )

  const signal = AbortSignal.abort(new Error('the process ends'))
  const run = { id: uuidv7(), attempt: 1, signal, complete: async () => undefined }
  for (const [name, work] of jobs) await t.rejects(work(run), { message: 'the process ends' }, name)
  for (const table of ['organizations', 'webhook_endpoints', 'security_events'])
    t.equal((await db.query(`SELECT FROM ${table}`)).length, 1, `${table}: nothing was begun`)
})
