import { Expiry } from '#lib/cleanup/expired-rows.ts'

/** Counts of wrong passwords, and of mails. */
export const expiry = new Expiry({
  table: 'login_attempts',
  key: 'subject',
  condition: 'expires_at < now()',
})
