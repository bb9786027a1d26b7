import type { FastifyInstance } from 'fastify'
import { v7 as uuidv7 } from 'uuid'
import { sendMail } from '#services/mail/mail.ts'
import * as sessionRecords from '#services/sessions/records.ts'
import { signUp, type TestUser } from '#test/support/helper.ts'

/** Who a request is about, and in which service. */
interface Situation {
  readonly app: FastifyInstance
  readonly subject: TestUser
}

/** Path parameters of what people who run the service ask for, by what stands before them in the path. */
export const OPERATOR_PARAMETERS: Readonly<
  Record<string, (situation: Situation) => string | Promise<string>>
> = {
  queues: () => 'cleanup',
  impersonations: async ({ app, subject }) => {
    const admin = await signUp(app, { role: 'admin' })
    const terms = { impersonator: admin.user.id, reason: 'a test', lifetimeMs: 60_000 }
    return (await sessionRecords.impersonate(app.ctx, subject.user, terms)).sessionId
  },
  mails: ({ app, subject }) => sendMail(app.ctx, { template: 'already-registered', to: subject.user.email }),
  'mail-templates': () => 'reset-password',
  schedules: async ({ app }) => {
    // A process that works has made it.
    await app.db.query({
      name: 'insertTestSchedule',
      text: `INSERT INTO pgboss.schedule (name, cron, timezone) VALUES ('cleanup', '17 * * * *', 'UTC')
             ON CONFLICT DO NOTHING`,
    })
    return 'cleanup'
  },
  jobs: ({ app }) => app.jobs.runNow(app.db, 'cleanup'),
  'job-actions': async ({ app }) => {
    const id = uuidv7()
    await app.db.query({
      name: 'insertTestAction',
      text: `INSERT INTO job_actions (id, action, selection, reason, status, total)
             VALUES ($1, 'delete', '{"filter":{}}', 'a test', 'running', 1000)`,
      values: [id],
    })
    return id
  },
}
