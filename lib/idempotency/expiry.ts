import { Expiry } from '#lib/cleanup/expired-rows.ts'

/** Answers kept for a repeated request. */
export const expiry = new Expiry({
  table: 'idempotency_keys',
  key: 'id',
  condition: 'expires_at < now()',
})
