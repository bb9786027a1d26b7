import type { Database } from '#lib/database/database.ts'

/** The part of a pino logger that services use. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Who does something, as events and audit entries name it. */
export interface ActingParty {
  /**
   * `user`: a person; `admin`: one with the role `admin`, outside of organizations; `api_key`: a program; `anonymous`:
   * somebody who has not signed in; `system`: a job or a command.
   */
  readonly kind: 'user' | 'admin' | 'api_key' | 'anonymous' | 'system'
  /** Id of the account or the key; null for the last two. */
  readonly id: string | null
}

/** Where a request came from. */
export interface Client {
  /** IP address, in its plain form. */
  readonly ip: string
  readonly userAgent: string | null
  /** Who it is, as far as the request has authenticated. */
  readonly actor: ActingParty
  /** The request's id; null outside of requests. */
  readonly requestId: string | null
  /** The admin who acts in the actor's place, if one does. */
  readonly impersonator?: string | undefined
  /** Why an admin does it; entries of the audit log have it. */
  readonly reason?: string
}

/** The actor of jobs and commands. */
export const SYSTEM: ActingParty = { kind: 'system', id: null }

/** Marks bytes as written by this service, by a key that the database does not have. */
export interface Marker {
  mark(bytes: Buffer): Buffer
}

/** The first argument of every service function. A service that needs more extends it with what it really uses. */
export interface Context {
  readonly db: Database
  readonly log: Log
  /** The time; a fake in tests of what depends on it. */
  readonly now: () => Date
  /** Who caused the work; for commands and jobs the machine itself. */
  readonly client: Client
  /** Makes the marks by which entries of the audit log are known to be the service's. */
  readonly marker: Marker
}

/** Returns a context in which all that is recorded says why it is done. */
export function because<C extends { readonly client: Client }>(ctx: C, reason: string): C {
  const { ip, userAgent, actor, requestId, impersonator } = ctx.client
  const own = impersonator === undefined ? {} : { impersonator }
  return { ...ctx, client: { ip, userAgent, actor, requestId, reason, ...own } }
}
