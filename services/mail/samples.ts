import type { MailMessage } from './message.ts'

const TO = 'ada@example.com'
const AT = '2026-01-31T08:15:30.000Z'
const ID = '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'
const TOKEN = { id: ID, expires_at: '2026-02-01T08:15:30.000Z' }

/** A mail of each template with invented data, for previews. */
export const SAMPLES: { readonly [Name in MailMessage['template']]: MailMessage & { template: Name } } = {
  'already-registered': { template: 'already-registered', to: TO },
  'choose-password': { template: 'choose-password', to: TO, token: TOKEN },
  'confirm-new-email': { template: 'confirm-new-email', to: TO, token: TOKEN },
  'email-changed': { template: 'email-changed', to: TO, data: { at: AT } },
  'file-quarantined': {
    template: 'file-quarantined',
    to: TO,
    data: { file: ID, at: AT, reason: 'infected', shared: false },
  },
  impersonated: { template: 'impersonated', to: TO, data: { at: AT, minutes: 30 } },
  'new-sign-in': {
    template: 'new-sign-in',
    to: TO,
    data: { user_agent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0', ip: '192.0.2.7', at: AT },
  },
  'organization-invitation': {
    template: 'organization-invitation',
    to: TO,
    token: { ...TOKEN, org: ID },
    data: { organization: 'Analytical Engines', role: 'member' },
  },
  'password-changed': { template: 'password-changed', to: TO, data: { at: AT } },
  'reset-password': { template: 'reset-password', to: TO, token: TOKEN },
  'verify-email': { template: 'verify-email', to: TO, token: TOKEN },
  'webhook-disabled': {
    template: 'webhook-disabled',
    to: TO,
    data: { webhook: ID, since: AT, reason: 'failing' },
  },
  'webhook-failing': { template: 'webhook-failing', to: TO, data: { webhook: ID, since: AT } },
}

/** The message of a template's sample; undefined when there is no such template. */
export function sampleOf(template: string): MailMessage | undefined {
  return Object.values(SAMPLES).find((sample) => sample.template === template)
}
