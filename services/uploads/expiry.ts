import { Expiry } from '#lib/cleanup/expired-rows.ts'

/** Uploads that nobody finished in time, and those that are finished for long. Bytes that no file got follow. */
export const expiry = new Expiry({
  table: 'uploads',
  key: 'space_id, id',
  condition: 'expires_at < now()',
  ofTenants: true,
})
