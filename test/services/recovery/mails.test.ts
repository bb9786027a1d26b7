import t from 'tap'
import { resetMailJob } from '#services/recovery/jobs.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { allMails } from '#test/support/mails.ts'

t.test('a job that runs again after it was ended writes no second letter', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t)
  const { user } = await signUp()
  await app.ctx.jobs.enqueue(app.ctx.db, resetMailJob, { email: user.email })
  const mails = await allMails(app, db, user.email)
  t.equal(mails.length, 1)
  const tokens = await db.query('SELECT id FROM one_time_tokens')
  const [job] = await db.query<{ id: string }>(`SELECT id FROM pgboss.job WHERE name = 'reset_mail'`)
  t.ok(job)

  // As a worker does that was taken for dead, and goes on.
  const run = {
    id: job?.id ?? '',
    attempt: 1,
    signal: new AbortController().signal,
    complete: async () => {
      throw new Error('another worker has ended the job')
    },
  }
  await t.rejects(resetMailJob.handler(app.ctx, { email: user.email }, run), { message: /another worker/ })
  t.same(await db.query('SELECT id FROM one_time_tokens'), tokens, 'the link in the letter still works')
  t.equal((await allMails(app, db, user.email)).length, 1)
})
