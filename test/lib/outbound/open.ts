import { addressCheck } from '#lib/outbound/addresses.ts'
import type { PostOptions } from '#lib/outbound/post.ts'

/** Rules that let a message go to a receiver of a test. No answer takes long, so only those that hang are given up. */
export const open: PostOptions = {
  allowHttp: true,
  allowedPorts: [],
  ownHosts: [],
  isAllowedAddress: addressCheck(['127.0.0.0/8', '::1/128']),
  timeoutMs: 60_000,
}
