import t from 'tap'
import type { MailMessage } from '#services/mail/message.ts'
import { type RenderedMail, renderInvitation, renderLink, renderNotice } from '#services/mail/render.ts'
import { SAMPLES } from '#services/mail/samples.ts'
import type { MailSite } from '#services/mail/site.ts'
import { startChromium, withoutChromium } from '#test/support/chromium.ts'
import { flaws } from '#test/support/flaws.ts'
import { BARE } from './sites.ts'

/** With the longest name, and words and addresses that have no place to break. */
const LONG: MailSite = {
  name: 'W'.repeat(60),
  signIn: `https://${'app-of-the-product'.repeat(3)}.example/sign-in`,
  support: `https://${'help-of-the-product'.repeat(3)}.example/contact`,
  forgot: 'https://api.example.com/account/forgot-password',
  resend: 'https://api.example.com/account/resend-verification',
}

const TARGET = {
  token: 'uYlzK9bXb0oT1mHqYtQk2s4wXwqgjvE0n3vVq3cVvS1',
  expiresAt: new Date('2026-02-01T08:15:30Z'),
  linkBase: 'https://api.example.com/account',
}

function render(site: MailSite, message: MailMessage): RenderedMail {
  if (message.template === 'organization-invitation') {
    const data = { ...message.data, organization: 'Rindfleischetikettierungsueberwachung'.repeat(2) }
    return renderInvitation(site, data, TARGET)
  }
  return 'token' in message ? renderLink(site, message.template, TARGET) : renderNotice(site, message)
}

t.test('mails fit every screen, and everybody can read them', { skip: withoutChromium }, async (t) => {
  const page = await (await startChromium(t)).newPage()
  for (const [kind, site] of Object.entries({ bare: BARE, long: LONG })) {
    for (const message of Object.values(SAMPLES)) {
      const { html } = render(site, message)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        for (const width of [360, 1280]) {
          await page.setViewportSize({ width, height: 800 })
          await page.setContent(html)
          const name = `${message.template}, ${kind}, ${colorScheme}, ${width} px`
          const content = await page.evaluate('document.documentElement.scrollWidth')
          t.ok(Number(content) <= width, `${name}: fits`)
          t.strictSame(await flaws(page, []), [], `${name}: accessible`)
        }
      }
    }
  }
})
