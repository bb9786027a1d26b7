import { Expiry } from '#lib/cleanup/expired-rows.ts'

/** Keys that ended a while ago: until then people can see in the list what became of them. */
export const expiry = new Expiry({
  table: 'api_keys',
  key: 'org_id, id',
  condition: "least(expires_at, revoked_at) < now() - interval '90 days'",
  ofTenants: true,
})
