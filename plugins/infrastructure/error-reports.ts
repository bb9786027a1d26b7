import fp from 'fastify-plugin'
import { Counter } from 'prom-client'
import type { ErrorReport } from '#lib/error-reports/event.ts'
import { fingerprint, placeOf } from '#lib/error-reports/fingerprint.ts'
import { Reporter } from '#lib/error-reports/reporter.ts'
import { serializeError } from '#lib/log/errors.ts'
import { redactText } from '#lib/log/redaction.ts'
import type { Span } from '#lib/tracing/tracing.ts'

/** The circumstances of an error. */
export interface ErrorScene extends Pick<ErrorReport, 'operation' | 'level' | 'status' | 'requestId'> {
  readonly span?: Span | undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Counts an error by its fingerprint, records it on the span, and reports it where `errors.dsn` says. */
    recordError(error: unknown, scene: ErrorScene): void
  }
}

/** Fingerprints that are counted each by itself; the rest are `other`, so that a metric can't grow without end. */
const MAX_FINGERPRINTS = 50

/** Milliseconds that the shutdown waits for the receiver of reports. */
const FLUSH_TIMEOUT_MS = 2000

/** Errors that somebody should look at: every 5xx but overload, jobs that are given up, what ends the process. */
export default fp(
  async (app) => {
    const registers = [app.metrics]
    const errors = new Counter({
      name: 'errors_total',
      help: 'Errors that somebody should look at, by fingerprint (type, code, place and operation); beyond 50 fingerprints they are `other`.',
      labelNames: ['fingerprint', 'type', 'operation'],
      registers,
    })
    const known = new Set<string>()
    const reporter = createReporter()

    function count({ fingerprint, type }: ErrorReport, operation: string): void {
      if (!known.has(fingerprint) && known.size >= MAX_FINGERPRINTS) {
        errors.inc({ fingerprint: 'other', type: 'other', operation: 'other' })
        return
      }
      known.add(fingerprint)
      errors.inc({ fingerprint, type, operation })
    }

    app.decorate('recordError', (error, { span, ...scene }) => {
      const found = fingerprint(error, scene.operation)
      const report = { ...found, ...scene, message: serializeError(error).message, trace: span?.ids }
      count(report, scene.operation)
      span?.fail({ ...found, frames: found.frames.filter(({ isOwn }) => isOwn).map(placeOf) })
      reporter?.report(report)
    })
    app.addHook('onClose', () => reporter?.flush(FLUSH_TIMEOUT_MS))

    function createReporter(): Reporter | undefined {
      const { dsn } = app.config.errors
      if (dsn === undefined) return undefined
      const reports = new Counter({
        name: 'error_reports_total',
        help: 'Reports of errors by outcome: sent, failed (refused, or not answered), dropped (repeated, or too many).',
        labelNames: ['outcome'],
        registers,
      })
      return new Reporter({
        dsn,
        version: app.appVersion,
        environment: app.config.environment,
        redact: redactText,
        finished: (outcome) => reports.inc({ outcome }),
      })
    }
  },
  { name: 'error-reports', dependencies: ['metrics'] },
)
