import type { Description } from '../dashboard.ts'
import { graph, stat } from '../panels.ts'
import { mean, quantile, rate, series, sum, top } from '../promql.ts'

const QUERY = 'db_query_duration_seconds'
const WAIT = 'db_pool_wait_seconds'

export default {
  title: 'Database',
  description: 'PostgreSQL as the service sees it: the pool, the statements, and what caches spare it.',
  rows: {
    Health: [
      stat('Instances that reach it', {
        unit: 'short',
        query: `sum(${series('health_check_up', 'check="database"')})`,
        thresholds: { warn: 2, bad: 1 },
        span: 6,
      }),
      stat('Instances with the schema they want', {
        unit: 'short',
        query: `sum(${series('health_check_up', 'check="migrations"')})`,
        thresholds: { warn: 2, bad: 1 },
        span: 6,
      }),
      stat('Statements', { unit: 'ops', query: sum('', rate(`${QUERY}_count`)), span: 6 }),
      stat('Time of a statement, p99', { unit: 's', query: quantile(0.99, '', QUERY), span: 6 }),
    ],
    Pool: [
      graph('Connections', {
        unit: 'short',
        queries: { '{{instance}} {{state}}': series('db_pool_connections', 'state!="waiting"') },
      }),
      graph('Callers that wait', {
        unit: 'short',
        queries: { '{{instance}}': series('db_pool_connections', 'state="waiting"') },
      }),
      graph('Time that callers waited', {
        unit: 's',
        queries: {
          p50: quantile(0.5, '', WAIT),
          p95: quantile(0.95, '', WAIT),
          p99: quantile(0.99, '', WAIT),
        },
        thresholds: { bad: 0.1 },
      }),
    ],
    Statements: [
      graph('Statements', {
        unit: 'ops',
        description: 'The fifteen most frequent.',
        queries: { '{{statement}}': top(15, sum('statement', rate(`${QUERY}_count`))) },
        span: 12,
      }),
      graph('Time that the database spends', {
        unit: 'percentunit',
        description: 'Of one connection; where an index pays most. The fifteen largest.',
        queries: { '{{statement}}': top(15, sum('statement', rate(`${QUERY}_sum`))) },
        span: 12,
      }),
      graph('p99 by statement', {
        unit: 's',
        description: 'The fifteen slowest.',
        queries: { '{{statement}}': top(15, quantile(0.99, 'statement', QUERY)) },
        span: 12,
      }),
      graph('Mean by statement', {
        unit: 's',
        description: 'The fifteen slowest.',
        queries: { '{{statement}}': top(15, mean('statement', QUERY)) },
        span: 12,
      }),
    ],
    'Transactions and Redis': [
      graph('Transactions begun anew', {
        unit: 'ops',
        description: 'After a deadlock (40P01) or a serialization failure (40001).',
        queries: { '{{state}}': sum('state', rate('db_retries_total')) },
        thresholds: { bad: 0.5 },
      }),
      graph('Instances that reach Redis', {
        unit: 'short',
        queries: { instances: `sum(${series('redis_up')})` },
      }),
      graph('Commands that Redis did not answer', {
        unit: 'ops',
        queries: { '{{reason}}': sum('reason', rate('redis_command_failures_total')) },
      }),
    ],
    Caches: [
      graph('Answered by a cache', {
        unit: 'percentunit',
        queries: {
          '{{cache}}': `1 - ${sum('cache', rate('cache_requests_total', 'result="miss"'))} / ${sum('cache', rate('cache_requests_total'))}`,
        },
        span: 12,
      }),
      graph('Questions', {
        unit: 'ops',
        queries: { '{{cache}} {{result}}': sum('cache, result', rate('cache_requests_total')) },
        stack: true,
        span: 12,
      }),
    ],
  },
} satisfies Description
