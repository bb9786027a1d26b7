import { Expiry } from '#lib/cleanup/expired-rows.ts'

/** Registrations whose address was never confirmed. */
export const expiry = new Expiry({
  table: 'registrations',
  key: 'id',
  condition: 'expires_at < now()',
})
