import { Expiry } from '#lib/cleanup/expired-rows.ts'

/** Counts of users and organizations that have no files, or are gone; the next file makes another. */
export const expiry = new Expiry({
  table: 'storage_usage',
  key: 'space_id',
  condition: "bytes = 0 AND max_bytes IS NULL AND updated_at < now() - interval '1 day'",
})
