import t from 'tap'
import { createTestApp } from '../helper.ts'

t.test('the pages that links lead to', async (t) => {
  const { request } = await createTestApp(t, { APP_ROLE: 'web' })
  for (const [name, action, asksPassword] of [
    ['verify-email', '../api/v1/auth/email/verify', false],
    ['confirm-email', '../api/v1/auth/email/verify', false],
    ['reset-password', '../api/v1/auth/password/reset', true],
    ['choose-password', '../api/v1/auth/password/reset', true],
  ] as const) {
    const { statusCode, headers, body } = await request({ url: `/account/${name}` })
    t.equal(statusCode, 200)
    t.match(headers, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    })
    t.match(
      headers['content-security-policy'],
      "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'",
    )
    t.match(headers['content-security-policy'], "form-action 'none'")
    t.match(body, `data-action="${action}"`)
    t.equal(body.includes('type="password"'), asksPassword)
    t.notMatch(body, /<script(?! type="module" src="account\.js">)| style=| on\w+=/, 'nothing inline')
  }
})

t.test('their script and styles', async (t) => {
  const { request } = await createTestApp(t, { APP_ROLE: 'web' })
  const script = await request({ url: '/account/account.js' })
  t.match(script, { statusCode: 200, headers: { 'content-type': 'text/javascript; charset=utf-8' } })
  t.match(script.body, 'history.replaceState')
  const styles = await request({ url: '/account/account.css' })
  t.match(styles, { statusCode: 200, headers: { 'content-type': 'text/css; charset=utf-8' } })
})

t.test('they can be turned off', async (t) => {
  const env = { APP_EMAIL__PAGES: 'false', APP_EMAIL__LINK_BASE: 'https://app.example.com' }
  const { app, request } = await createTestApp(t, { APP_ROLE: 'web', ...env })
  t.equal((await request({ url: '/account/verify-email' })).statusCode, 404)
  t.equal(app.mail.linkBase, 'https://app.example.com')
})
