import type { Config } from './schema/schema.ts'

/** Where clients reach the service, without a trailing slash; by itself it follows the port. */
export function publicUrl({ public_url, port }: Config['server']): string {
  return public_url ?? `http://127.0.0.1:${port}`
}

/** The path below which clients reach the service, where a proxy takes it away: '' or `/prefix`. */
export function publicPath(server: Config['server']): string {
  return new URL(publicUrl(server)).pathname.replace(/\/$/, '')
}
