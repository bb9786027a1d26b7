/** Users that are there while the catalogue runs; `user` is the one whose account no case changes. */
export type ActorName = 'user' | 'other' | 'admin'

/** A request as it goes over the wire. */
export interface HostileRequest {
  /** Without it: POST with a body, GET without. */
  method?: string
  /** The request's target, byte by byte. */
  path: string
  /** Whose access token it carries. */
  as?: ActorName
  /**
   * Comes after `Host` and `Connection: close`. Where a body is not given its type and length here, it gets
   * them: a field of that name, in whatever spelling, takes their place.
   */
  headers?: readonly (readonly [name: string, value: string])[]
  /** Sent in place of `Host: 127.0.0.1`. */
  host?: string
  body?: string | Buffer
}

/** Raw bytes, in as many writes. They have to end the connection themselves. */
export interface RawRequest {
  raw: readonly (string | Buffer)[]
}

/**
 * Something that a hostile or broken client does, and what comes of it. In every text `{{user.id}}`,
 * `{{other.token}}` and the like stand for what is only known when the service runs (service.ts).
 *
 * For each case the runner sees to it that the reply is complete, that an error is a problem document with
 * nothing internal in it, that what is refused leaves no trace in the database and one line in the log, and that
 * the service is as it was.
 */
export interface HostileCase {
  name: string
  send: HostileRequest | RawRequest
  /** Several where the connection has several replies; none where it is closed without one. */
  status: number | readonly number[]
  /** Code of the problem document in the (last) reply. */
  code?: string
  /** Pointers of the invalid values if the code is `validation_failed`: sorted, without repetitions. */
  pointers?: readonly string[]
  /** Headers of the last reply, by lower-case names; null: it is not there. */
  headers?: Readonly<Record<string, string | null>>
  /** Pattern of the last reply's parsed body; see tap's `match`. */
  body?: unknown
  /** Texts that must be nowhere in the replies. */
  absent?: readonly string[]
}

/** A request whose only input is an email address, and which costs the service one small insert. */
export function forgot(body: string | Buffer, headers?: HostileRequest['headers']): HostileRequest {
  return {
    path: '/api/v1/auth/password/forgot',
    body,
    headers: headers ?? [['Content-Type', 'application/json']],
  }
}

/** A request with a JSON body. */
export function post(path: string, value: unknown, more: Partial<HostileRequest> = {}): HostileRequest {
  return { path, body: JSON.stringify(value), headers: [['Content-Type', 'application/json']], ...more }
}
