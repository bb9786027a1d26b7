import type { Config } from './schema.ts'

/** Where clients reach the service, without a trailing slash; by itself it follows the port. */
export function publicUrl({ public_url, port }: Config['server']): string {
  return public_url ?? `http://127.0.0.1:${port}`
}
