import { Expiry } from '#lib/cleanup/expired-rows.ts'

/** Mails are looked up while somebody misses them. By their ids, which begin with their time. */
export const mailExpiry = new Expiry({
  table: 'mails',
  key: 'id',
  condition:
    "id < (lpad(to_hex((extract(epoch FROM now() - interval '30 days') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid",
})
