import type { Description } from '../dashboard.ts'
import { graph, table } from '../panels.ts'
import { mean, quantile, rate, share as ratio, series, sum } from '../promql.ts'

const COUNT = 'http_request_duration_seconds_count'
const DURATION = 'http_request_duration_seconds'
const CHOSEN = 'operation=~"$operation"'

/** Over the whole time that the dashboard shows. */
function inAll(expression: string): string {
  return expression.replaceAll('$__rate_interval', '$__range')
}

/** The share of the requests with such a status. */
function share(status: string): string {
  const all = sum('operation', rate(COUNT))
  const part = sum('operation', rate(COUNT, `status_code=~"${status}"`))
  return inAll(ratio(part, all))
}

export default {
  title: 'Operations',
  description: 'Each operation by its operationId, as in the OpenAPI document.',
  variables: { operation: { metric: COUNT } },
  rows: {
    'All operations': [
      table('Operations', {
        description: '`unknown` are URLs that do not exist, `other` are the pages of the documentation.',
        columns: {
          Requests: { unit: 'reqps', query: inAll(sum('operation', rate(COUNT))) },
          '5xx': { unit: 'percentunit', query: share('5..'), thresholds: { warn: 0.0005, bad: 0.001 } },
          '4xx': { unit: 'percentunit', query: share('4..') },
          Mean: { unit: 's', query: inAll(mean('operation', DURATION)) },
          p50: { unit: 's', query: inAll(quantile(0.5, 'operation', DURATION)) },
          p95: { unit: 's', query: inAll(quantile(0.95, 'operation', DURATION)) },
          p99: {
            unit: 's',
            query: inAll(quantile(0.99, 'operation', DURATION)),
            thresholds: { warn: 0.1, bad: 0.25 },
          },
          'In flight, mean': { unit: 'short', query: inAll(sum('operation', rate(`${DURATION}_sum`))) },
        },
      }),
    ],
    'The chosen operations': [
      graph('Requests by status', {
        unit: 'reqps',
        queries: {
          '{{method}} {{operation}} {{status_code}}': sum(
            'method, operation, status_code',
            rate(COUNT, CHOSEN),
          ),
        },
        span: 12,
      }),
      graph('Requests by instance', {
        unit: 'reqps',
        queries: { '{{instance}}': sum('instance', rate(COUNT, CHOSEN)) },
        span: 12,
      }),
      graph('Response time', {
        unit: 's',
        queries: {
          p50: quantile(0.5, '', DURATION, CHOSEN),
          p95: quantile(0.95, '', DURATION, CHOSEN),
          p99: quantile(0.99, '', DURATION, CHOSEN),
        },
        exemplars: true,
        thresholds: { bad: 0.25 },
        span: 12,
      }),
      graph('Response time by instance (p99)', {
        unit: 's',
        queries: { '{{instance}}': quantile(0.99, 'instance', DURATION, CHOSEN) },
        thresholds: { bad: 0.25 },
        span: 12,
      }),
    ],
    'All together': [
      graph('Requests in flight', {
        unit: 'short',
        queries: { '{{instance}}': series('http_requests_in_flight') },
        span: 24,
      }),
    ],
  },
} satisfies Description
