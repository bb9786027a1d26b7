import http from 'node:http'

/** Read in either case, as other programs do. */
const NAMES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()])

/** This Node is too old; the words are for the operator (lib/advice/explain-failure.ts). */
class ProxyUnsupported extends Error {
  override name = 'ProxyUnsupported'
}

/**
 * Has every outgoing HTTP request go through the proxies that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name: `fetch`
 * (breach check, object store) and node:http's own agents (traces, error reports). Called once, by entry points; the
 * configuration has checked the variables. Connections to PostgreSQL, Redis and the mail server take no proxy.
 *
 * @returns what undoes it, for tests
 * @throws ProxyUnsupported when Node is too old for it, for nothing must leave by another way than was said
 */
export function useProxies(env: Readonly<Record<string, string | undefined>>): () => void {
  const chosen = Object.fromEntries(NAMES.flatMap((name) => (env[name] ? [[name, tidied(env[name])]] : [])))
  if (!Object.keys(chosen).some((name) => /^https?_proxy$/i.test(name))) return () => undefined
  // Older Nodes lack it, whatever the types say; as a named import it would keep them from starting at all.
  if (typeof http.setGlobalProxyFromEnv !== 'function') {
    throw new ProxyUnsupported('HTTP_PROXY and HTTPS_PROXY need Node 24.14 or newer')
  }
  return http.setGlobalProxyFromEnv(chosen)
}

/** Without white space around it, and with its scheme in small letters: node:http ignores a proxy whose scheme is not. */
function tidied(value: string): string {
  return value.trim().replace(/^https?:\/\//i, (scheme) => scheme.toLowerCase())
}
