import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { sendMail } from '#services/mail/mail.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'

async function prepare(t: Test) {
  const testApp = await borrowTestApp(t)
  const to = `${randomBytes(6).toString('hex')}@example.com`
  const token = { id: uuidv7(), expires_at: new Date(Date.now() + 60_000).toISOString() }
  await sendMail(testApp.app.ctx, { template: 'verify-email', to, token })
  const list = async () => (await testApp.request({ url: '/dev/mail/messages', query: { to } })).json().data
  await eventually(async () => (await list()).length === 1)
  const [mail] = await list()
  return { ...testApp, to, mail }
}

t.test('mail can be read as JSON', async (t) => {
  const { mail, to, request } = await prepare(t)
  t.match(mail, {
    to,
    subject: 'Confirm your email address for Groundwork',
    text: 'http://127.0.0.1:8080/account/verify-email#token=',
    html: /^<!doctype html>/,
    headers: 'Message-ID: <',
    sent_at: /Z$/,
  })
  const { data } = (await request({ url: '/dev/mail/messages' })).json()
  t.ok(data.some(({ id }: { id: string }) => id === mail.id))
  t.equal((await request({ url: '/dev/mail/messages?to=nobody' })).body, '{"data":[]}')
})

t.test('mail can be read in the browser', async (t) => {
  const { mail, to, request } = await prepare(t)
  const list = await request({ url: '/dev/mail' })
  t.match(list.headers, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
  t.match(
    list.body,
    `<a href="mail/${mail.id}">Confirm your email address for Groundwork</a><span>${to}</span>`,
  )
  t.notMatch(list.body, '<script')

  const page = await request({ url: `/dev/mail/${mail.id}` })
  t.match(page.body, `src="${mail.id}/html" sandbox="allow-popups allow-popups-to-escape-sandbox"`)
  t.match(
    page.body,
    /<a href="http:\/\/127\.0\.0\.1:8080\/account\/verify-email#token=[\w-]{43}" target="_blank">/,
  )
  t.match(page.headers['content-security-policy'], "default-src 'none'")

  const frame = await request({ url: `/dev/mail/${mail.id}/html` })
  t.match(frame.body, '<head><base target="_blank">')
  t.match(frame.headers, {
    'content-security-policy': / sandbox allow-popups /,
    'x-frame-options': 'SAMEORIGIN',
  })
})

t.test('mail can be thrown away', async (t) => {
  const { request } = await prepare(t)
  t.equal((await request({ method: 'DELETE', url: '/dev/mail/messages' })).statusCode, 204)
  t.equal((await request({ url: '/dev/mail/messages' })).body, '{"data":[]}')
  t.match((await request({ url: '/dev/mail' })).body, 'There is no mail.')
})

t.test('what is not there is 404', async (t) => {
  const { request } = await borrowTestApp(t)
  for (const url of [`/dev/mail/${uuidv7()}`, '/dev/mail/x', `/dev/mail/${uuidv7()}/html`]) {
    const response = await request({ url })
    t.match(response, { statusCode: 404 })
    t.match(response.json(), { code: 'mail_not_found' })
  }
})

t.test('there is no mailbox where mail is sent', async (t) => {
  const { app, request } = await borrowTestApp(t, { APP_EMAIL__SMTP_URL: 'smtp://127.0.0.1:1' })
  t.equal(app.mailbox, undefined)
  for (const url of ['/dev/mail', '/dev/mail/messages'])
    t.match((await request({ url })).json(), { code: 'not_found' })
})

t.test('it is not in the document', async (t) => {
  const { app } = await borrowTestApp(t)
  t.notMatch(JSON.stringify(app.swagger()), /dev\/mail|account\//)
})
