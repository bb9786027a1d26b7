import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { isLoopback } from '#config/engine/loopback.ts'
import { NotLocal } from '#plugins/http/errors/http-errors.ts'

/** Headers in which a proxy names the client, or the host that it asked for. */
const FORWARDING_HEADERS = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-real-ip',
  'cf-connecting-ip',
  'true-client-ip',
  'x-client-ip',
]

/** Refuses requests from other machines where the service is for this one only (`server.local_only`). */
export default fp(
  async (app) => {
    if (!app.config.server.local_only) return
    app.step('local only', (request, _reply, done) => {
      done(isLocal(request) ? undefined : new NotLocal())
    })
  },
  { name: 'local-only' },
)

/**
 * Whether a request was made on this machine. A proxy in front, or a tunnel, shows itself by the host that was
 * asked for or by naming the client; the host also shows a page whose name was made to lead here (DNS rebinding).
 */
function isLocal({ headers, socket }: FastifyRequest): boolean {
  const { remoteAddress } = socket
  if (remoteAddress !== undefined && !isLoopback(remoteAddress)) return false
  if (headers.host !== undefined && !isLoopback(headers.host.replace(/:\d*$/, ''))) return false
  return FORWARDING_HEADERS.every((name) => namedHosts(String(headers[name] ?? '')).every(isLoopback))
}

/** The hosts in such a header, without ports: `a, b:80` or `for=a;host=b, for="[::1]:80"`. */
function namedHosts(header: string): string[] {
  return header
    .split(/[,;]/)
    .map((part) => part.trim())
    .filter((part) => part !== '' && !/^(?:proto|by)=/i.test(part))
    .map((part) => part.replace(/^(?:for|host)=/i, '').replaceAll('"', ''))
    .map((host) => host.replace(/^(\[.*\]|[^:]*):\d*$/, '$1'))
}
