import { defineError } from '#lib/errors.ts'

export const RateLimited = defineError({
  code: 'rate_limited',
  status: 429,
  title: 'Too many requests',
  detail: 'There were more requests than the limit allows. Wait as `Retry-After` says.',
})
