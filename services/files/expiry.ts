import { Expiry } from '#lib/cleanup/expired-rows.ts'

/** Files that were in the trash for long, or have had no content for long. Their bytes follow (services/storage/jobs.ts). */
export const expiry = new Expiry({
  table: 'files',
  key: 'space_id, id',
  condition: 'purge_at < now()',
  ofTenants: true,
})
