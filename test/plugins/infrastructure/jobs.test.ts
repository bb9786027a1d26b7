import { randomBytes } from 'node:crypto'
import t from 'tap'
import { buildApp } from '#app.ts'
import { DatabaseUnavailable } from '#lib/database/errors.ts'
import { sendMail } from '#services/mail/mail.ts'
import { cleanupJob } from '#services/operations/jobs.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, type TestApp, testConfig } from '#test/support/helper.ts'
import { refusal, startSmtpServer } from '#test/support/smtp-server.ts'

const NOTICE = { template: 'already-registered', to: 'ada@example.com', data: { username: 'ada' } } as const

t.test('a mail goes out by SMTP, and the metrics tell', async (t) => {
  const server = await startSmtpServer(t, {
    onRecipient: (address) => {
      if (address.startsWith('nobody')) throw refusal(550, `5.1.1 <${address}> unknown`)
    },
  })
  const env = { APP_EMAIL__SMTP_URL: server.url, APP_EMAIL__FROM: 'no-reply@service.example' }
  const { app, db, logs, logLines } = await createTestApp(t, env)
  t.equal(app.mailbox, undefined)
  await sendMail(app.ctx, NOTICE)
  await sendMail(app.ctx, { ...NOTICE, to: 'nobody@example.com' })
  await eventually(async () => {
    const states = await db.query<{ name: string; state: string }>(
      "SELECT name, state FROM pgboss.job WHERE name IN ('send_mail', 'dead_letter') ORDER BY 1, 2",
    )
    return (
      states.map(({ name, state }) => `${name} ${state}`).join() ===
      'dead_letter created,send_mail completed,send_mail failed'
    )
  })
  t.match(server.received, [{ from: 'no-reply@service.example', to: ['ada@example.com'] }])
  t.match(
    logs().find(({ msg }) => msg === 'mail sent'),
    { queue: 'send_mail', template: 'already-registered', attempt: 1 },
  )
  t.match(
    logs().find(({ level }) => level === 'error'),
    { err: { message: 'the mail server refused the mail for good: 550 5.1.1' } },
  )
  t.notMatch(logLines.join('\n'), /nobody@|ada@/, 'no address is in the log')

  const metrics = await app.metrics.metrics()
  t.match(metrics, 'job_runs_total{queue="send_mail",outcome="completed"} 1\n')
  t.match(metrics, 'job_runs_total{queue="send_mail",outcome="dead"} 1\n')
  t.match(metrics, 'job_duration_seconds_count{queue="send_mail"} 2\n')
  t.match(metrics, 'job_queue_depth{queue="dead_letter",state="waiting"} 1\n')
  t.match(metrics, 'job_queue_depth{queue="send_mail",state="waiting"} 0\n')
  t.match(
    metrics,
    /job_oldest_age_seconds\{queue="dead_letter"\} 0\.\d+|job_oldest_age_seconds\{queue="dead_letter"\} [1-9]/,
  )
  t.match(metrics, 'job_oldest_age_seconds{queue="cleanup"} 0\n')
})

t.test(
  'an instance that works makes the schedules, and one that answers requests alone makes none',
  async (t) => {
    const [web, worker] = [
      await createTestApp(t, { APP_ROLE: 'web' }),
      await createTestApp(t, { APP_ROLE: 'worker' }),
    ]
    const schedulesOf = async ({ db }: TestApp) => (await db.query('SELECT FROM pgboss.schedule')).length
    // Takes no job before the queues and schedules are there.
    await sendMail(web.app.ctx, NOTICE)
    t.equal(await schedulesOf(web), 0)
    await eventually(async () => (await schedulesOf(worker)) > 5)
  },
)

t.test('a worker that hears of nothing for a while polls, and hears again', async (t) => {
  const { app, db, logs, request } = await createTestApp(t)
  const terminate =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'groundwork-jobs' AND datname = current_database()"
  // It may not listen yet.
  await eventually(async () => (await db.query(terminate)).length > 0)
  await eventually(async () => logs().some(({ msg }) => `${msg}`.startsWith('new jobs are not announced')))
  await sendMail(app.ctx, NOTICE)
  await eventually(async () => (await request({ url: '/dev/mail/messages' })).json().data.length === 1)
})

t.test('web instances enqueue only', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  await sendMail(app.ctx, NOTICE)
  const listeners = await db.query(
    "SELECT FROM pg_stat_activity WHERE application_name = 'groundwork-jobs' AND datname = current_database()",
  )
  t.equal(listeners.length, 0)
  t.match(await db.query('SELECT name, state, data FROM pgboss.job'), [
    { name: 'send_mail', state: 'created', data: { message: NOTICE } },
  ])
  // On a busy machine the database may not say in time.
  await eventually(async () =>
    (await app.metrics.metrics()).includes('job_queue_depth{queue="send_mail",state="waiting"} 1\n'),
  )
})

t.test('workers serve the routes of operations only', async (t) => {
  const { request } = await createTestApp(t, { APP_ROLE: 'worker' })
  for (const url of ['/live', '/ready', '/health', '/metrics'])
    t.equal((await request({ url })).statusCode, 200, url)
  for (const url of [
    '/api/v1/users/me',
    '/docs',
    '/docs/json',
    '/dev/mail',
    '/account/verify-email',
    '/.well-known/jwks.json',
  ]) {
    t.equal((await request({ url })).statusCode, 404, url)
  }
})

t.test('without an SMTP server, mail waits in production', async (t) => {
  const secret = randomBytes(32).toString('hex')
  const { app, db, logs } = await createTestApp(t, { APP_ENVIRONMENT: 'production', APP_JWT__SECRET: secret })
  t.equal(app.mailbox, undefined)
  t.ok(logs().some(({ msg, level }) => level === 'warn' && `${msg}`.startsWith('email.smtp_url is not set')))
  await sendMail(app.ctx, NOTICE)
  // What comes after it is done, so it would have been too.
  await app.jobs.enqueue(app.db, cleanupJob, {})
  // Schedules that are due meanwhile have jobs as well.
  const states = () =>
    db.query(`SELECT name, state, retry_count FROM pgboss.job
              WHERE name IN ('cleanup', 'send_mail') ORDER BY name, created_on`)
  await eventually(async () => (await states())[0]?.['state'] === 'completed')
  t.match(await states(), [{ name: 'cleanup' }, { name: 'send_mail', state: 'created', retry_count: 0 }])
})

t.test('the service starts without its database, and works when that comes', async (t) => {
  const db = await createTestDatabase(t)
  const url = new URL(db.url)
  url.pathname = `${db.name}_later`
  const env = { APP_LOG__LEVEL: 'silent', APP_DATABASE__MIGRATE_ON_START: 'true' }
  const app = await buildApp(testConfig(url.href, env))
  t.teardown(() => app.close())
  t.equal((await app.inject('/live')).statusCode, 200)
  await t.rejects(sendMail(app.ctx, NOTICE), DatabaseUnavailable)
  t.notMatch(await app.metrics.metrics(), 'job_queue_depth{')

  t.teardown(async () => {
    await app.close()
    await mailbox?.clear()
    await db.querySuper(`DROP DATABASE ${db.name}_later WITH (FORCE)`)
  })
  await db.querySuper(`CREATE DATABASE ${db.name}_later OWNER ${url.username}`)
  const mailbox = app.mailbox
  const to = `${randomBytes(6).toString('hex')}@example.com`
  await eventually(() =>
    sendMail(app.ctx, { ...NOTICE, to }).then(
      () => true,
      () => false,
    ),
  )
  await eventually(async () => (await mailbox?.list({ to }))?.length === 1)
  // The last migrations may still be on their way.
  await eventually(async () => (await app.inject('/ready')).statusCode === 200)
})

t.test('what can never work ends the start', async (t) => {
  const db = await createTestDatabase(t)
  await db.query('DROP SCHEMA pgboss CASCADE')
  await db.query('CREATE SCHEMA pgboss')
  // Looks like a very old pg-boss, from which nothing leads to this one.
  await db.query('CREATE TABLE pgboss.version (version int)')
  await db.query('INSERT INTO pgboss.version VALUES (1)')
  await t.rejects(buildApp(testConfig(db.url, { APP_LOG__LEVEL: 'silent' })))
})
