import type { Database } from '#lib/database/database.ts'

/** The part of a pino logger that services use. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Where a request came from. */
export interface Client {
  /** IP address, in its plain form. */
  readonly ip: string
  readonly userAgent: string | null
}

/** The first argument of every service function. A service that needs more extends it with what it really uses. */
export interface Context {
  readonly db: Database
  readonly log: Log
  /** The time; a fake in tests of what depends on it. */
  readonly now: () => Date
  /** Who caused the work; for commands and jobs the machine itself. */
  readonly client: Client
}
