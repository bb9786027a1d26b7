import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import { onlyAllowed } from './allowed.ts'

/** Passes only allowed attributes to an exporter, and counts exported and lost spans. */
export class GuardedExporter implements SpanExporter {
  readonly counts = { exported: 0, lost: 0 }
  readonly #exporter: SpanExporter

  constructor(exporter: SpanExporter) {
    this.#exporter = exporter
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans.map(onlyAllowed), (result) => {
      this.counts[result.code === ExportResultCode.SUCCESS ? 'exported' : 'lost'] += spans.length
      done(result)
    })
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown()
  }
}
