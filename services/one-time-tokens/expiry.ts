import { Expiry } from '#lib/cleanup/expired-rows.ts'

/** Links in mails. */
export const expiry = new Expiry({
  table: 'one_time_tokens',
  key: 'id',
  condition: 'expires_at < now()',
})
