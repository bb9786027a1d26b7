import t from 'tap'
import { PermanentFailure } from '#lib/jobs/jobs.ts'
import type { Letter } from '#services/mail/deliver.ts'
import { sendMailJob } from '#services/mail/jobs.ts'
import { sendMail } from '#services/mail/mail.ts'
import type { Mail } from '#services/mail/transport.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'

const BASE = '/api/v1/operations'
const reason = 'Ticket 4711'

/** An application whose mails nobody sends but the test, and its admin. */
async function start(t: Parameters<typeof borrowTestApp>[0]) {
  const testApp = await borrowTestApp(t, { APP_ROLE: 'web' })
  const { app, db, request, signUp } = testApp
  const admin = await signUp({ role: 'admin' })
  const sent: Mail[] = []
  let failure: Error | undefined

  /** Works off the job of a mail, as its n-th attempt. */
  const work = async (id: string, attempt = 1) => {
    const [row] = await db.query<{ data: Letter }>(
      "SELECT data FROM pgboss.job WHERE name = 'send_mail' AND data ->> 'id' = $1",
      [id],
    )
    if (row === undefined) throw new Error('the mail has no job')
    const transport = {
      close: () => undefined,
      send: async (mail: Mail) => {
        if (failure) throw failure
        sent.push(mail)
      },
    }
    const ctx = { ...app.ctx, mail: { ...app.ctx.mail, transport } }
    const signal = new AbortController().signal
    const run = { id, attempt, signal, complete: async () => undefined }
    return sendMailJob.handler(ctx, row.data, run)
  }
  const get = async (path: string) => (await request({ url: BASE + path, as: admin })).json()
  const resend = (id: string) =>
    request({ method: 'POST', url: `${BASE}/mails/${id}/resend`, as: admin, payload: { reason } })
  const fail = (error: Error | undefined) => {
    failure = error
  }
  return { ...testApp, admin, sent, work, get, resend, fail }
}

t.test('an admin sees why a mail did not arrive, and sends it again', async (t) => {
  const { app, get, work, resend, fail, sent, db, admin } = await start(t)
  const id = await sendMail(app.ctx, { template: 'already-registered', to: 'Ada@example.com' })
  t.match(await get(`/mails/${id}`), {
    to: 'Ada@example.com',
    template: 'already-registered',
    state: 'waiting',
    attempts: 0,
    error: null,
    can_resend: true,
  })
  fail(new Error(`451 try later, Bearer ${'a1B2'.repeat(16)}`))
  await t.rejects(work(id))
  t.match(await get(`/mails/${id}`), { state: 'retrying', attempts: 1, error: '451 try later, [redacted]' })
  fail(new PermanentFailure('550 no such mailbox'))
  await t.rejects(work(id, 2))
  t.match(await get(`/mails/${id}`), {
    state: 'failed',
    attempts: 2,
    error: '550 no such mailbox',
    sent_at: null,
  })

  const answer = await resend(id)
  t.equal(answer.statusCode, 201, answer.body)
  const again = answer.json()
  t.match(again, { state: 'waiting', resent_from: id, to: 'Ada@example.com' })
  t.equal(answer.headers.location, `${BASE}/mails/${again.id}`)
  t.match(await get(`/mails/${id}`), { state: 'replaced', can_resend: false })
  fail(undefined)
  await work(id, 3)
  t.equal(sent.length, 0, 'the old one is never sent')
  await work(again.id)
  t.equal(sent.length, 1)
  t.match(await get(`/mails/${again.id}`), { state: 'sent', attempts: 1, error: null, sent_at: /Z$/ })
  const third = (await resend(again.id)).json()
  t.match(await get(`/mails/${again.id}`), { state: 'sent' }, 'what was sent stays so')
  t.not(third.id, again.id, 'receivers tell them apart')
  expectProblem(t, await resend(id), { status: 409, code: 'mail_not_resendable' })
  expectProblem(t, await resend('01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'), {
    status: 404,
    code: 'mail_not_found',
  })

  const [entry] = (await get('/audit-entries?action=operations.resendMail')).data.slice(-1)
  t.match(entry, { actor_id: admin.user.id, target_type: 'mail', target_id: id })
  t.strictSame(JSON.parse(entry.details), { resent_as: again.id, template: 'already-registered', reason })
  t.equal((await db.query('SELECT FROM mails')).length, 3)
})

t.test('after the last attempt a mail has failed', async (t) => {
  const { app, get, work, fail } = await start(t)
  const id = await sendMail(app.ctx, { template: 'already-registered', to: 'ada@example.com' })
  fail(new Error('no route'))
  await t.rejects(work(id, sendMailJob.retryLimit))
  t.match(await get(`/mails/${id}`), { state: 'retrying' })
  await t.rejects(work(id, sendMailJob.retryLimit + 1))
  t.match(await get(`/mails/${id}`), { state: 'failed' })
})

t.test('a link that has ended is neither sent nor sent again', async (t) => {
  const { app, get, work, resend, sent } = await start(t)
  const token = { id: '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90', expires_at: '2020-01-01T00:00:00.000Z' }
  const id = await sendMail(app.ctx, { template: 'reset-password', to: 'ada@example.com', token })
  await work(id)
  t.equal(sent.length, 0)
  t.match(await get(`/mails/${id}`), { state: 'expired', can_resend: false })
  expectProblem(t, await resend(id), { status: 409, code: 'mail_not_resendable' })
})

t.test('mails are found by receiver, state and template, page by page', async (t) => {
  const { app, get, signUp, work } = await start(t)
  const { user } = await signUp({ email: 'grace@example.com' })
  const own = await sendMail(app.ctx, { template: 'already-registered', to: 'GRACE@example.com' })
  const data = { at: new Date().toISOString() }
  const other = await sendMail(app.ctx, { template: 'password-changed', to: 'ada@example.com', data })
  const third = await sendMail(app.ctx, { template: 'email-changed', to: user.email, data })
  await work(other)
  const ids = async (query: string) =>
    (await get(`/mails?${query}`)).data.map((mail: { id: string }) => mail.id)
  t.strictSame(await ids(''), [third, other, own])
  t.strictSame(await ids('to=grace%40EXAMPLE.com'), [third, own])
  t.strictSame(await ids(`user_id=${user.id}`), [third, own])
  t.strictSame(await ids(`user_id=${user.id}&to=ada@example.com`), [])
  t.strictSame(await ids('user_id=01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'), [])
  t.strictSame(await ids('state=sent'), [other])
  t.strictSame(await ids('state=waiting&template=email-changed'), [third])
  const first = await get('/mails?limit=2')
  t.strictSame(
    (await get(`/mails?limit=2&cursor=${first.next_cursor}`)).data.map(({ id }: { id: string }) => id),
    [own],
  )
  t.notMatch(JSON.stringify(await get('/mails')), /token/)
})

t.test('every kind of mail can be looked at', async (t) => {
  const { get, request, admin } = await start(t)
  const { data } = await get('/mail-templates?limit=100')
  t.ok(data.length >= 11)
  for (const { template, subject } of data) {
    const preview = await get(`/mail-templates/${template}`)
    t.match(preview, { template, subject, text: /\w/, html: /^<!doctype html>/i })
  }
  const unknown = await request({ url: `${BASE}/mail-templates/nothing`, as: admin })
  expectProblem(t, unknown, { status: 404, code: 'mail_template_not_found' })
})

t.test('deleting an account forgets the mails to it', async (t) => {
  const { app, db, request, signUp, work } = await start(t)
  const as = await signUp()
  const id = await sendMail(app.ctx, { template: 'already-registered', to: as.user.email })
  await sendMail(app.ctx, { template: 'already-registered', to: 'ada@example.com' })
  await work(id)
  t.equal((await request({ method: 'DELETE', url: '/api/v1/users/me', as })).statusCode, 204)
  t.strictSame(await db.query('SELECT to_address FROM mails'), [{ to_address: 'ada@example.com' }])
})
