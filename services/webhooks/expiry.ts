import { Expiry } from '#lib/cleanup/expired-rows.ts'

/** Attempts are what people look at while something is wrong. */
export const attemptExpiry = new Expiry({
  table: 'webhook_attempts',
  key: 'org_id, delivery_id, number',
  condition: "attempted_at < now() - interval '14 days'",
  ofTenants: true,
})

/** Deliveries are kept as long as events are; what waits is younger. */
export const deliveryExpiry = new Expiry({
  table: 'webhook_deliveries',
  key: 'org_id, id',
  condition: "created_at < now() - interval '30 days'",
  ofTenants: true,
})
