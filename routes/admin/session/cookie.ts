import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyRequest } from 'fastify'

const NAME = 'groundwork-admin'

/** Where the panel's refresh token is between two requests: in a cookie that no script reads and one URL gets. */
export class RefreshCookie {
  readonly #path: string

  /** @param publicPath the path below which browsers reach the service */
  constructor(publicPath: string) {
    this.#path = `${publicPath}/admin/session`
  }

  read(request: FastifyRequest): string | undefined {
    return parseCookie(request.headers.cookie ?? '')[nameFor(request)]
  }

  /** Value of Set-Cookie that keeps a token until the browser is closed; without one the cookie is deleted. */
  write(request: FastifyRequest, token: string | undefined): string {
    return stringifySetCookie({
      name: nameFor(request),
      value: token ?? '',
      path: this.#path,
      httpOnly: true,
      sameSite: 'strict',
      secure: isSecure(request),
      ...(token === undefined ? { maxAge: 0 } : {}),
    })
  }
}

/** Browsers accept the prefix only together with `Secure`, so nobody on the network can plant such a cookie. */
function nameFor(request: FastifyRequest): string {
  return isSecure(request) ? `__Secure-${NAME}` : NAME
}

/** The browser is right whatever proxies are between; it sends `Origin` with all methods but GET and HEAD. */
function isSecure({ headers }: FastifyRequest): boolean {
  return headers.origin?.startsWith('https:') ?? false
}
