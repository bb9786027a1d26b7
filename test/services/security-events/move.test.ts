import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { sealBatch } from '#services/audit/sealer.ts'
import { verify } from '#services/audit/verification/verify.ts'
import { moveSecurityEventsJob } from '#services/security-events/jobs.ts'
import { entriesOf } from '#test/support/audit.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

const RUN = {
  id: uuidv7(),
  attempt: 1,
  signal: new AbortController().signal,
  complete: async () => undefined,
}
const AT = '2026-03-01T10:00:00.000Z'

t.test('what versions before wrote moves into the audit log', async (t) => {
  const { app, db, logs, request, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const [admin, user] = [await signUp({ role: 'admin' }), await signUp()]
  let msecs = Date.parse(AT)
  const id = () => uuidv7({ msecs: msecs++ })
  const key = uuidv7()
  const insert = (kind: string, values: { session?: string; key?: string } = {}) =>
    db.query(
      `INSERT INTO security_events (id, kind, user_id, session_id, api_key_id, ip, user_agent)
       VALUES ($1, $2, $3, $4, $5, '192.0.2.7', 'curl/8')`,
      [id(), kind, user.user.id, values.session, values.key],
    )
  await insert('api_key_created', { key })
  await insert('password_changed')
  await insert('refresh_token_reused', { session: user.session_id })
  await db.query(
    `INSERT INTO security_events (id, kind, user_id)
     SELECT ('019c' || substr(md5(n::text), 1, 8) || '7000' || substr(md5(n::text), 9, 16))::uuid, 'email_changed', $1
     FROM generate_series(1, 450) AS n`,
    [admin.user.id],
  )

  await moveSecurityEventsJob.handler(app.ctx, {}, RUN)
  t.same(await db.query('SELECT 1 FROM security_events'), [])
  await moveSecurityEventsJob.handler(app.ctx, {}, RUN)
  const said = logs().filter(({ msg }) => msg === 'moved security events into the audit log')
  t.match(said, [{ level: 'info', moved: 453 }], 'not for nothing')
  t.equal((await entriesOf(db, 'security_events.email_changed')).length, 450)
  t.match(await entriesOf(db, 'security_events.%', user.user.id), [
    { action: 'security_events.password_changed', actor_id: user.user.id, ip: '192.0.2.7' },
    {
      action: 'security_events.refresh_token_reused',
      actor_id: null,
      details: { session_id: user.session_id },
      ip: '192.0.2.7',
    },
  ])
  t.match(await entriesOf(db, 'security_events.%', key), [{ actor_id: user.user.id }])

  while ((await sealBatch(app.ctx)).hasMore);
  t.strictSame((await verify(app.ctx)).problems, [])
  const url = `/api/v1/operations/audit-entries?target_id=${key}`
  t.match((await request({ url, as: admin })).json(), { data: [{ at: AT, actor_kind: 'user' }] })
})

t.test('events whose entries cannot be written stay where they are', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  await db.query("INSERT INTO security_events (id, kind) VALUES ($1, 'password_changed')", [uuidv7()])
  const broken = {
    ...app.ctx,
    marker: {
      mark() {
        throw new Error('no key')
      },
    },
  }
  await t.rejects(moveSecurityEventsJob.handler(broken, {}, RUN), { message: 'no key' })
  t.equal((await db.query('SELECT 1 FROM security_events')).length, 1)
  await moveSecurityEventsJob.handler(app.ctx, {}, RUN)
  t.same(await db.query('SELECT 1 FROM security_events'), [])
})

t.test('what cannot be written there stays where it is', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const { user } = await signUp()
  await db.query('INSERT INTO security_events (id, kind, user_id) VALUES ($1, $2, $3)', [
    uuidv7(),
    'password_changed',
    user.id,
  ])
  const marker = {
    mark(): never {
      throw new Error('there is no key')
    },
  }
  const moved = moveSecurityEventsJob.handler({ ...app.ctx, marker }, {}, RUN)
  await t.rejects(moved, { message: 'there is no key' })
  t.equal((await db.query('SELECT FROM security_events')).length, 1)
})
