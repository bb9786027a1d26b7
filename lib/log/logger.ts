import type { LoggerOptions } from 'pino'
import type { Config } from '#config/schema/schema.ts'
import { serializeError } from './errors.ts'
import { createRedaction } from './redaction.ts'

/**
 * Pino, JSON on standard output. Secrets can't appear: fields are redacted by name wherever they are nested,
 * and what looks like a token or a hash is cut out of the finished line.
 */
export function loggerOptions({ level }: Config['log']): LoggerOptions {
  const redaction = createRedaction()
  return {
    level,
    base: null,
    timestamp,
    formatters: { level: (label) => ({ level: label }), log: redaction.fields },
    // The redaction of fields has serialised errors already, but does not see the bindings of child loggers.
    serializers: { err: (error) => (error instanceof Error ? serializeError(error) : error) },
    hooks: { streamWrite: redaction.line },
  }
}

let stamp = { at: Number.NaN, text: '' }

/** Lines of one millisecond share its text: under load there are many. */
function timestamp(): string {
  const at = Date.now()
  if (at !== stamp.at) stamp = { at, text: `,"time":"${new Date(at).toISOString()}"` }
  return stamp.text
}
