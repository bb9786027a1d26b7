import { randomUUID } from 'node:crypto'
import type { TraceIds } from '#lib/tracing/tracing.ts'
import type { Fingerprinted } from './fingerprint.ts'

/** An error that somebody should look at. */
export interface ErrorReport extends Fingerprinted {
  readonly message: string
  /** An operationId, the name of a job, or `process`. */
  readonly operation: string
  /** `fatal` ends the process. */
  readonly level: 'error' | 'fatal'
  readonly status?: number | undefined
  readonly requestId?: string | undefined
  readonly trace?: TraceIds | undefined
}

/** The running version. */
export interface Release {
  readonly version: string
  readonly environment: string
}

/** Longest message that is sent. */
const MAX_MESSAGE = 1000

const EMAIL = /[^\s"'<>(),;:=\\]+@[\w-]+(?:\.[\w-]+)+/g
const IP = /\b\d{1,3}(?:\.\d{1,3}){3}\b|(?<![\w:])(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4}(?![\w:])/gi

/**
 * An envelope of Sentry's protocol with one event (develop.sentry.dev/sdk/data-model/envelopes). No request, no
 * user, no variables of the stack: what is wrong and where, and the ids that find the rest in the log.
 *
 * @param redact masks secrets in a text of JSON, and leaves it JSON
 */
export function envelope(report: ErrorReport, release: Release, redact: (json: string) => string): string {
  const id = randomUUID().replaceAll('-', '')
  const now = new Date()
  const item = redact(JSON.stringify(eventOf(report, release, { id, now })))
  const lines = [
    JSON.stringify({ event_id: id, sent_at: now.toISOString() }),
    JSON.stringify({ type: 'event', content_type: 'application/json', length: Buffer.byteLength(item) }),
    item,
  ]
  return `${lines.join('\n')}\n`
}

function eventOf(report: ErrorReport, release: Release, { id, now }: { id: string; now: Date }) {
  const { type, code, message, operation, level, status, requestId, trace } = report
  return {
    event_id: id,
    timestamp: now.getTime() / 1000,
    platform: 'node',
    level,
    logger: 'groundwork',
    release: `groundwork@${release.version}`,
    environment: release.environment,
    transaction: operation,
    fingerprint: [report.fingerprint],
    tags: {
      operation,
      ...(code === undefined ? {} : { code }),
      ...(status === undefined ? {} : { status: String(status) }),
      ...(requestId === undefined ? {} : { request_id: requestId }),
    },
    exception: {
      values: [{ type, value: withoutAddresses(message), stacktrace: { frames: framesOf(report) } }],
    },
    ...(trace ? { contexts: { trace } } : {}),
  }
}

/** Outermost first, as Sentry wants them. */
function framesOf({ frames }: ErrorReport) {
  return frames.toReversed().map(({ function: name, file, line, isOwn }) => ({
    function: name,
    filename: file,
    lineno: line,
    in_app: isOwn,
  }))
}

function withoutAddresses(message: string): string {
  return message.slice(0, MAX_MESSAGE).replace(EMAIL, '[address]').replace(IP, '[address]')
}
