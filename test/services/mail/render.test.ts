import t from 'tap'
import { renderLink, renderNotice } from '../../../services/mail/render.ts'

const AT = '2026-03-14T09:05:00.000Z'
const HOSTILE = `<script>alert("1")</script>&'`
const link = { token: 'to-ken', expiresAt: new Date(AT), linkBase: 'https://app.example.com/account' }

t.test('mails with a link', async (t) => {
  const cases = [
    ['verify-email', 'verify-email', 'Confirm your email address'],
    ['reset-password', 'reset-password', 'Reset your password'],
    ['confirm-new-email', 'confirm-email', 'Confirm your new email address'],
    ['choose-password', 'choose-password', 'An account was made for you'],
  ] as const
  for (const [template, page, title] of cases) {
    const { subject, text, html } = renderLink(template, { username: HOSTILE }, link)
    const url = `https://app.example.com/account/${page}#token=to-ken`
    t.equal(subject, title)
    t.match(text, `${title}\n\nHello ${HOSTILE},\n`)
    t.match(text, `:\n${url}\n`)
    t.match(text, 'until 14 March 2026 at 09:05 UTC.')
    t.equal(html.split(`href="${url}"`).length, 3, 'the button and the address in full')
    t.match(html, 'until 14 March 2026 at 09:05 UTC.')
    checkHtml(t, html)
  }
})

t.test('mails without', async (t) => {
  const mails = [
    renderNotice('already-registered', { username: HOSTILE }),
    renderNotice('password-changed', { username: HOSTILE, at: AT }),
    renderNotice('email-changed', { username: HOSTILE, new_email: 'lovelace@example.org', at: AT }),
    renderNotice('new-sign-in', {
      username: HOSTILE,
      user_agent: `${HOSTILE}\nWhen: never`,
      ip: '::1',
      at: AT,
    }),
    renderNotice('new-sign-in', { username: HOSTILE, user_agent: null, ip: '::1', at: AT }),
  ]
  for (const { subject, text, html } of mails) {
    t.match(text, subject)
    t.notMatch(html, 'href=')
    checkHtml(t, html)
  }
  const [, changed, moved, device, unknown] = mails
  t.match(changed?.text, '\nWhen: 14 March 2026 at 09:05 UTC\n')
  t.match(moved?.text, '\nNew address: l***@example.org\n')
  t.notMatch(`${moved?.text}${moved?.html}`, 'lovelace')
  t.match(
    device?.text,
    `\nDevice: ${HOSTILE} When: never\nAddress: ::1\n`,
    'a device makes no line of its own',
  )
  t.match(unknown?.text, '\nDevice: unknown\n')
})

t.test('an address that starts with its @', async (t) => {
  t.match(
    renderNotice('email-changed', { username: 'a', new_email: '@x', at: AT }).text,
    'New address: ***@x\n',
  )
})

function checkHtml(
  t: { match: (a: string, b: string | RegExp) => void; notMatch: (a: string, b: RegExp) => void },
  html: string,
) {
  t.match(html, /^<!doctype html>\n<html lang="en">/)
  t.match(html, 'Hello &lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;,')
  // No script, no picture, nothing from elsewhere.
  t.notMatch(html, /<script|<img|src=|@import|url\(/)
}
