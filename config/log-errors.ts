/** What the log shows of an error. */
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
  return {
    // The classes that defineError makes have no name of their own.
    type: error.constructor.name || error.name,
    message: error.message,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    stack: error.stack ?? '',
    ...(error.cause === undefined || depth >= MAX_CAUSES
      ? {}
      : { cause: serializeError(error.cause, depth + 1) }),
  }
}
