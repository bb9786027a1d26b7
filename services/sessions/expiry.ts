import { Expiry } from '#lib/cleanup/expired-rows.ts'

/** Sessions that ended a while ago: until then a stolen refresh token is recognised by them. */
export const expiry = new Expiry({
  table: 'sessions',
  key: 'id',
  condition: "least(ended_at, idle_expires_at, expires_at) < now() - interval '30 days'",
})
