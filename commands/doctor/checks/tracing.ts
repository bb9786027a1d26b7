import { readHeaderPairs } from '#config/engine/header-pairs.ts'
import { tracesUrl } from '#lib/tracing/traces-url.ts'
import { type Check, off, problem, wordsOf } from '../check.ts'
import { statusOf } from '../reach.ts'

/** The receiver of traces, which is sent an export without spans. */
const check: Check = {
  name: 'traces',
  reads: ['tracing'],
  async run({ config: { tracing } }) {
    const { endpoint, headers } = tracing
    if (endpoint === undefined) {
      return [off('tracing.endpoint is not set.', 'There are no traces.', 'Set APP_TRACING__ENDPOINT.')]
    }
    const why = 'Traces are lost; nothing else depends on them.'
    const how =
      'Start the receiver of OTLP over HTTP, or correct APP_TRACING__ENDPOINT and APP_TRACING__HEADERS.'
    try {
      const status = await statusOf(tracesUrl(endpoint), {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...readHeaderPairs(headers ?? '') },
        body: JSON.stringify({ resourceSpans: [] }),
      })
      return status < 300 ? [] : [problem(`Traces are refused: status ${status}`, why, how)]
    } catch (error) {
      return [problem(`Traces cannot be sent: ${wordsOf(error)}`, why, how)]
    }
  },
}
export default check
