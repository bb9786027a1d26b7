import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { takeStep } from '#services/operations/job-action-steps.ts'
import { create, stop } from '#services/operations/job-actions.ts'
import { cleanupJob } from '#services/operations/jobs.ts'
import { insertJobAction, selectJobActions } from '#services/operations/queries.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createOrganization } from '#test/support/organizations.ts'

const RUN = {
  id: uuidv7(),
  attempt: 1,
  signal: new AbortController().signal,
  complete: async () => undefined,
}

t.test('deletes what has expired, and nothing else', async (t) => {
  const { app, db, signUp, logs } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const { user } = await signUp()
  const other = await signUp()
  const tenant = await createOrganization(app)
  const [oldKey, key] = [await tenant.createApiKey(), await tenant.createApiKey()]
  const [oldInvitation, invitation] = [await tenant.invite(), await tenant.invite()]
  for (const [table, days, id] of [
    ['api_keys', 91, oldKey.id],
    ['api_keys', 89, key.id],
    ['organization_invitations', 31, oldInvitation.id],
    ['organization_invitations', 29, invitation.id],
  ]) {
    await db.querySuper(`UPDATE ${table} SET expires_at = now() - interval '${days} days' WHERE id = $1`, [
      id,
    ])
  }
  const webhook = await tenant.createWebhook()
  const [oldDelivery, delivery] = [
    await tenant.createDelivery(webhook.id),
    await tenant.createDelivery(webhook.id),
  ]
  await db.querySuper("UPDATE webhook_deliveries SET created_at = now() - interval '31 days' WHERE id = $1", [
    oldDelivery.id,
  ])
  await db.querySuper("UPDATE webhook_attempts SET attempted_at = now() - interval '15 days'")
  const [oldFile, file] = [await tenant.createFile(), await tenant.createFile()]
  await db.querySuper("UPDATE files SET purge_at = now() - interval '1 second' WHERE id = $1", [oldFile.id])
  const [oldUpload, upload] = [await tenant.createUpload(), await tenant.createUpload()]
  await db.querySuper("UPDATE uploads SET expires_at = now() - interval '1 second' WHERE id = $1", [
    oldUpload.id,
  ])
  await db.query('DELETE FROM sessions')
  await db.query('DELETE FROM login_attempts')
  await db.query(
    `INSERT INTO sessions (id, user_id, ip, idle_expires_at, expires_at, ended_at) VALUES
       (gen_random_uuid(), $1, '::1', now() - interval '31 days', now() + interval '1 day', NULL),
       (gen_random_uuid(), $1, '::1', now() + interval '1 day', now() - interval '31 days', NULL),
       (gen_random_uuid(), $1, '::1', now() + interval '1 day', now() + interval '1 day', now() - interval '31 days'),
       (gen_random_uuid(), $1, '10.0.0.1', now() - interval '29 days', now() - interval '29 days', now() - interval '29 days'),
       (gen_random_uuid(), $1, '10.0.0.2', now() + interval '1 day', now() + interval '1 day', NULL)`,
    [user.id],
  )
  await db.query(
    `INSERT INTO one_time_tokens (id, digest, user_id, purpose, expires_at) VALUES
       (gen_random_uuid(), '\\x01', $1, 'reset_password', now() - interval '1 second'),
       (gen_random_uuid(), '\\x02', $2, 'reset_password', now() + interval '1 minute')`,
    [user.id, other.user.id],
  )
  await db.query(
    `INSERT INTO registrations (id, digest, email, username, password_hash, expires_at) VALUES
       (gen_random_uuid(), '\\x01', 'a@example.com', 'aaa', 'x', now() - interval '1 second'),
       (gen_random_uuid(), '\\x02', 'b@example.com', 'bbb', 'x', now() + interval '1 minute')`,
  )
  await db.query(
    `INSERT INTO idempotency_keys (id, fingerprint, status, body, expires_at) VALUES
       ('\\x01', '\\x01', 201, '{}', now() - interval '1 second'),
       ('\\x02', '\\x02', 201, '{}', now() + interval '1 minute')`,
  )
  // More than one batch.
  await db.query(
    `INSERT INTO login_attempts (subject, failures, expires_at)
     SELECT 'old ' || n, 1, now() - interval '1 second' FROM generate_series(1, 2100) n
     UNION ALL SELECT 'new', 1, now() + interval '1 minute'`,
  )

  await cleanupJob.handler(app.ctx, {}, RUN)

  t.strictSame(await db.query('SELECT host(ip) AS ip FROM sessions ORDER BY 1'), [
    { ip: '10.0.0.1' },
    { ip: '10.0.0.2' },
  ])
  t.strictSame(await db.querySuper('SELECT id FROM api_keys'), [{ id: key.id }])
  t.strictSame(await db.querySuper('SELECT id FROM webhook_deliveries'), [{ id: delivery.id }])
  t.strictSame(await db.querySuper('SELECT FROM webhook_attempts'), [])
  t.strictSame(await db.querySuper('SELECT id FROM organization_invitations'), [{ id: invitation.id }])
  t.strictSame(await db.querySuper('SELECT id FROM files WHERE key IS NOT NULL'), [{ id: file.id }])
  t.strictSame(await db.querySuper('SELECT id FROM uploads'), [{ id: upload.id }])
  t.strictSame(await db.query('SELECT user_id FROM one_time_tokens'), [{ user_id: other.user.id }])
  t.strictSame(await db.query('SELECT username FROM registrations'), [{ username: 'bbb' }])
  t.strictSame(await db.query("SELECT encode(id, 'hex') AS id FROM idempotency_keys"), [{ id: '02' }])
  t.strictSame(await db.query('SELECT subject FROM login_attempts'), [{ subject: 'new' }])
  t.strictSame(logs().find(({ msg }) => msg === 'cleaned up')?.['deleted'], [
    { table: 'idempotency_keys', rows: 1 },
    { table: 'api_keys', rows: 1 },
    { table: 'login_attempts', rows: 2100 },
    { table: 'files', rows: 1 },
    { table: 'organization_invitations', rows: 1 },
    { table: 'mails', rows: 0 },
    { table: 'one_time_tokens', rows: 1 },
    { table: 'job_actions', rows: 0 },
    { table: 'registrations', rows: 1 },
    { table: 'sessions', rows: 3 },
    { table: 'uploads', rows: 1 },
    { table: 'webhook_attempts', rows: 2 },
    { table: 'webhook_deliveries', rows: 1 },
  ])
})

t.test('stops when it has to', async (t) => {
  const { app } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const signal = AbortSignal.abort(new Error('enough'))
  await t.rejects(cleanupJob.handler(app.ctx, {}, { ...RUN, signal }), { message: 'enough' })
})

t.test('an action that was stopped, or is finished, does nothing more', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const { user, session_id } = await signUp({ role: 'admin' })
  const [actor, reason] = [{ ...user, sessionId: session_id }, 'Ticket 4711']
  const waiting = () => db.query("SELECT FROM pgboss.job WHERE name = 'cleanup' AND state = 'created'")
  const addJobs = (count: number) =>
    db.query("INSERT INTO pgboss.job (name, data) SELECT 'cleanup', '{}' FROM generate_series(1, $1)", [
      count,
    ])
  const jobs = { filter: { queue: 'cleanup', state: 'waiting' } } as const
  await addJobs(101)
  const action = await create(app.ctx, actor, { action: 'cancel', jobs, reason })
  t.equal(action.status, 'running', 'it is left to a job')
  await stop(app.ctx, actor, action.id, reason)
  const names = await app.ctx.jobs.names()
  t.equal(await takeStep(app.ctx, action.id, names), undefined)
  t.equal((await waiting()).length, 101)
  const [row] = await db.query<{ finished_at: Date }>('SELECT finished_at FROM job_actions')
  t.equal(
    (await stop(app.ctx, actor, action.id, reason)).finished_at,
    row?.finished_at.toISOString(),
    'nor is it stopped again',
  )
})

t.test('actions are listed page by page, the newest first', async (t) => {
  const { app, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const requested_by = (await signUp()).user.id
  const ids = [uuidv7(), uuidv7(), uuidv7()]
  for (const id of ids) {
    const action = { id, action: 'retry', selection: '{}', reason: 'why', requested_by, total: 1 } as const
    await insertJobAction(app.db, action)
  }
  const list = async (before: string | null, limit = 9) =>
    (await selectJobActions(app.db, { before, limit })).map(({ id }) => ids.indexOf(id))
  t.strictSame(await list(null), [2, 1, 0])
  t.strictSame(await list(null, 2), [2, 1])
  t.strictSame(await list(ids[1] ?? null), [0], 'after the one that was the last')
})
