/** An error as the log shows it. */
export interface LoggedError {
  [key: string]: unknown
  type: string
  message: string
  code?: string
  stack: string
  cause?: unknown
}

/** How many causes are followed. */
const MAX_CAUSES = 5

/**
 * Serialises an error by naming what may be shown: drivers hang rows, parameters and connection data on
 * theirs, which must not get into a log.
 */
export function serializeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error), stack: '' }
  const message = messageOf(error)
  return {
    // The classes that defineError makes have no name of their own.
    type: error.constructor.name || error.name,
    message,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    // It begins with the message.
    stack: error.stack?.replace(error.message, () => message) ?? '',
    ...(error.cause === undefined || depth >= MAX_CAUSES
      ? {}
      : { cause: serializeError(error.cause, depth + 1) }),
  }
}

/**
 * The message, but for those of PostgreSQL that quote what the client sent or what a row holds: of what
 * functions raise, and of invalid values (SQLSTATE class 22). Their codes stay.
 */
function messageOf(error: Error): string {
  if (!('routine' in error && 'code' in error)) return error.message
  const isRaised = String(error.routine).startsWith('exec_stmt_')
  return isRaised || String(error.code).startsWith('22') ? WITHHELD : error.message
}

const WITHHELD = "[withheld, because it may quote data; the database's own log has it]"
