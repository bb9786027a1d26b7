import { Expiry } from '#lib/cleanup/expired-rows.ts'

/** Invitations that expired a month ago: until then they can be sent again. */
export const expiry = new Expiry({
  table: 'organization_invitations',
  key: 'ctid',
  condition: "expires_at < now() - interval '30 days'",
  ofTenants: true,
})
