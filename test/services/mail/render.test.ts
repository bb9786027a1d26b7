import t, { type Test } from 'tap'
import type { NoticeMessage } from '#services/mail/message.ts'
import { plainName } from '#services/mail/plain-name.ts'
import { type RenderedMail, renderInvitation, renderLink, renderNotice } from '#services/mail/render.ts'
import type { MailSite } from '#services/mail/site.ts'
import { BARE } from './sites.ts'

const AT = '2026-03-14T09:05:00.000Z'
const HOSTILE = `<script>alert("1")</script>&'`
const TO = 'ada@example.com'
const WEBHOOK = '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'

const FULL: MailSite = {
  name: `Acme & Söhne`,
  signIn: 'https://app.acme.example',
  support: 'help@acme.example',
  forgot: 'https://api.acme.example/account/forgot-password',
  resend: 'https://api.acme.example/account/resend-verification',
}

const link = { token: 'to-ken', expiresAt: new Date(AT), linkBase: 'https://app.example.com/account' }

const LINKS = [
  ['verify-email', 'verify-email', 'Confirm your email address'],
  ['reset-password', 'reset-password', 'Reset your password'],
  ['confirm-new-email', 'confirm-email', 'Confirm your new email address'],
  ['choose-password', 'choose-password', 'An account was created for you'],
] as const

const NOTICES: NoticeMessage[] = [
  { template: 'already-registered', to: TO },
  { template: 'password-changed', to: TO, data: { at: AT } },
  { template: 'email-changed', to: TO, data: { at: AT } },
  { template: 'impersonated', to: TO, data: { at: AT, minutes: 30 } },
  { template: 'new-sign-in', to: TO, data: { user_agent: HOSTILE, ip: '::1', at: AT } },
  { template: 'webhook-failing', to: TO, data: { webhook: WEBHOOK, since: AT } },
  { template: 'webhook-disabled', to: TO, data: { webhook: WEBHOOK, since: AT, reason: 'failing' } },
  { template: 'file-quarantined', to: TO, data: { file: WEBHOOK, at: AT, reason: 'held', shared: true } },
]

t.test('mails with a link', async (t) => {
  for (const [template, page, title] of LINKS) {
    const mail = renderLink(BARE, template, link)
    const url = `https://app.example.com/account/${page}#token=to-ken`
    t.match(mail.subject, 'Groundwork')
    t.match(mail.text, `${title}\n\n`)
    t.match(mail.text, `:\n${url}\n`)
    t.match(mail.text, 'until 14 March 2026 at 09:05 UTC.')
    t.equal(mail.html.split(`href="${url}"`).length, 3, 'the button and the address in full')
    t.match(mail.html, 'until 14 March 2026 at 09:05 UTC.')
    checkHtml(t, mail)
  }
})

t.test('mails without', async (t) => {
  for (const notice of NOTICES) {
    const mail = renderNotice(BARE, notice)
    t.match(mail.subject, 'Groundwork')
    t.notMatch(mail.html, 'href=', 'no link where there is no page for it')
    checkHtml(t, mail)
  }
  const changed = renderNotice(BARE, { template: 'password-changed', to: TO, data: { at: AT } })
  t.match(changed.text, '\nWhen: 14 March 2026 at 09:05 UTC\n')
})

t.test('every mail names the product, says where to get help, and has the next step', async (t) => {
  const mails = [
    ...LINKS.map(([template]) => renderLink(FULL, template, link)),
    ...NOTICES.map((notice) => renderNotice(FULL, notice)),
  ]
  for (const { subject, text, html } of mails) {
    t.match(subject, 'Acme & Söhne')
    t.match(
      text,
      '-- \nAcme & Söhne sent this mail automatically.\nhttps://app.acme.example\nSupport: help@acme.example\n',
    )
    t.match(html, 'Acme &amp; Söhne sent this mail')
    t.match(html, 'href="mailto:help@acme.example"')
    t.match(html, 'href="https://app.acme.example"')
  }
  for (const { subject, html } of mails) {
    // To an address that is not the account's any more: only support can do something.
    if (/email address .* was changed/.test(subject)) continue
    t.match(html, /class="button"/, `${subject}: what to do next`)
  }
  const [verify, reset] = mails
  t.match(verify?.text, `Send a new link:\n${FULL.resend}\n`)
  t.match(reset?.html, `<a href="${FULL.forgot}">Send a new link</a>`)
  t.match(
    renderNotice(
      { ...FULL, support: 'https://acme.example/help' },
      { template: 'already-registered', to: TO },
    ).html,
    'href="https://acme.example/help"',
  )
})

t.test('no mail repeats what somebody typed', async (t) => {
  const evil = {
    username: 'evil.example',
    new_email: 'x@evil.example',
    user_agent: 'evil.example',
    ip: '::1',
    at: AT,
  }
  const mails = [
    // As jobs of an older version have it.
    ...NOTICES.map((notice) => {
      const data = 'data' in notice ? notice.data : {}
      return renderNotice(FULL, Object.assign({ ...notice }, { data: { ...data, ...evil } }))
    }),
    ...LINKS.map(([template]) => renderLink(FULL, template, link)),
  ]
  for (const { subject, text, html } of mails) t.notMatch(subject + text + html, 'evil')
})

t.test('an invitation shows the plain words of the name that strangers chose', async (t) => {
  for (const [name, shown] of [
    ["Ada & Söhne's 2nd Büro", "Ada & Söhne's 2nd Büro"],
    ['Pay at https://evil.example/now', 'Pay at https evil example now'],
    ['www。evil．example mail@evil․example', 'www evil example mail evil example'],
    ['<a href="//evil.example">Bank</a>', 'a href evil example Bank a'],
    ['Call 0800 123 456 now', 'Call now'],
    ['line\r\nBcc: a@b.example\u202e', 'line Bcc a b example'],
    ['[Bank](http://evil)', 'Bank http evil'],
    ['株式会社', '株式会社'],
    ['../..', ''],
    ['x'.repeat(100), 'x'.repeat(60)],
  ] as const) {
    t.equal(plainName(name), shown)
    const mail = renderInvitation(FULL, { organization: name, role: 'admin' }, link)
    t.match(mail.text, `\nOrganization: ${shown || 'Without a name'}\nYour role: Admin\n`)
    t.match(mail.text, 'https://app.example.com/account/accept-invitation#token=to-ken')
    t.notMatch(mail.subject + mail.text + mail.html, /evil[.．․。]example|@evil|<a href="\/\/evil|evil"/)
    checkHtml(t, mail)
  }
})

t.test('mails about a webhook say which, since when and what to do', async (t) => {
  const since = 'Failing since: 14 March 2026 at 09:05 UTC'
  const failing = renderNotice(FULL, {
    template: 'webhook-failing',
    to: TO,
    data: { webhook: WEBHOOK, since: AT },
  })
  t.equal(failing.subject, 'A webhook of your organization on Acme & Söhne is failing')
  t.match(failing.text, `\nWebhook: ${WEBHOOK}\n${since}\n`)
  t.match(failing.text, 'the webhook will be disabled')
  for (const [reason, why] of [
    ['gone', 'Its receiver answered that it is gone (410)'],
    ['failing', 'Its receiver has failed for days'],
  ] as const) {
    const data = { webhook: WEBHOOK, since: AT, reason }
    const disabled = renderNotice(FULL, { template: 'webhook-disabled', to: TO, data })
    t.equal(disabled.subject, 'A webhook of your organization on Acme & Söhne was disabled')
    t.match(disabled.text, `\nWebhook: ${WEBHOOK}\nWhy: ${why}\n${since}\n`)
    t.match(disabled.text, 'recover the messages that it missed')
    for (const { html } of [failing, disabled]) {
      t.match(html, WEBHOOK)
      t.match(html, 'href="https://app.acme.example"')
    }
  }
})

t.test('a device is named in our words', async (t) => {
  const safari = 'AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1'
  const chrome = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36'
  const cases: [string | null, string][] = [
    ['Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0', 'Firefox on Linux'],
    [`Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) ${safari}`, 'Safari on iPhone'],
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chrome} Edg/124.0.0.0`, 'Edge on Windows'],
    [`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${chrome}`, 'Chrome on macOS'],
    [`Mozilla/5.0 (Linux; Android 14; Pixel 8) ${chrome}`, 'Chrome on Android'],
    ['curl/8.5.0', 'curl'],
    ['Pay at evil.example (Windows)', 'Windows'],
    ['Pay at evil.example', 'Unknown'],
    [null, 'Unknown'],
  ]
  for (const [user_agent, name] of cases) {
    const data = { user_agent, ip: '192.0.2.1', at: AT }
    const { text } = renderNotice(BARE, { template: 'new-sign-in', to: TO, data })
    t.match(text, `\nDevice: ${name}\nIP address: 192.0.2.1\n`)
  }
})

function checkHtml(t: Test, { html }: RenderedMail) {
  t.match(html, /^<!doctype html>\n<html lang="en">/)
  // No script, no picture, nothing from elsewhere.
  t.notMatch(html, /<script|<img|src=|@import|url\(/)
}
