import { Expiry } from '#lib/cleanup/expired-rows.ts'

/** Actions on jobs; the audit log keeps them for longer. */
export const jobActionExpiry = new Expiry({
  table: 'job_actions',
  key: 'id',
  condition: "finished_at < now() - interval '90 days'",
})
