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
      stat('Instances that reach the database', {
        unit: 'short',
        query: `sum(${series('health_check_up', 'check="database"')})`,
        thresholds: { warn: 2, bad: 1 },
        span: 6,
      }),
      stat('Instances with the right schema version', {
        unit: 'short',
        query: `sum(${series('health_check_up', 'check="migrations"')})`,
        thresholds: { warn: 2, bad: 1 },
        span: 6,
      }),
      stat('Statements per second', { unit: 'ops', query: sum('', rate(`${QUERY}_count`)), span: 6 }),
      stat('Statement time (p99)', { unit: 's', query: quantile(0.99, '', QUERY), span: 6 }),
    ],
    Pool: [
      graph('Pool connections', {
        unit: 'short',
        queries: { '{{instance}} {{state}}': series('db_pool_connections', 'state!="waiting"') },
      }),
      graph('Callers waiting for a connection', {
        unit: 'short',
        queries: { '{{instance}}': series('db_pool_connections', 'state="waiting"') },
      }),
      graph('Wait for a connection', {
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
      graph('Most frequent statements', {
        unit: 'ops',
        description: 'The fifteen most frequent.',
        queries: { '{{statement}}': top(15, sum('statement', rate(`${QUERY}_count`))) },
        span: 12,
      }),
      graph('Database time by statement', {
        unit: 'percentunit',
        description: 'Of one connection; where an index pays most. The fifteen largest.',
        queries: { '{{statement}}': top(15, sum('statement', rate(`${QUERY}_sum`))) },
        span: 12,
      }),
      graph('Slowest statements (p99)', {
        unit: 's',
        description: 'The fifteen slowest.',
        queries: { '{{statement}}': top(15, quantile(0.99, 'statement', QUERY)) },
        span: 12,
      }),
      graph('Slowest statements (mean)', {
        unit: 's',
        description: 'The fifteen slowest.',
        queries: { '{{statement}}': top(15, mean('statement', QUERY)) },
        span: 12,
      }),
    ],
    Replicas: [
      graph('Reads by replica', {
        unit: 'ops',
        queries: {
          '{{replica}}': sum('replica', rate('db_replica_reads_total')),
          'primary: {{reason}}': sum('reason', rate('db_replica_fallbacks_total')),
        },
      }),
      graph('Processes by state of each replica', {
        unit: 'short',
        queries: { '{{replica}} {{state}}': `${sum('replica, state', series('db_replica_state'))} > 0` },
      }),
      graph('Replica lag', {
        unit: 's',
        queries: { '{{replica}}': `max by (replica) (${series('db_replica_lag_seconds')})` },
      }),
    ],
    'Transactions and Redis': [
      graph('Retried transactions', {
        unit: 'ops',
        description: 'After a deadlock (40P01) or a serialization failure (40001).',
        queries: { '{{state}}': sum('state', rate('db_retries_total')) },
        thresholds: { bad: 0.5 },
      }),
      graph('Instances that reach Redis', {
        unit: 'short',
        queries: { instances: `sum(${series('redis_up')})` },
      }),
      graph('Failed Redis commands', {
        unit: 'ops',
        queries: { '{{reason}}': sum('reason', rate('redis_command_failures_total')) },
      }),
    ],
    Caches: [
      graph('Cache hit ratio', {
        unit: 'percentunit',
        queries: {
          '{{cache}}': `1 - ${sum('cache', rate('cache_requests_total', 'result="miss"'))} / ${sum('cache', rate('cache_requests_total'))}`,
        },
        span: 12,
      }),
      graph('Cache lookups', {
        unit: 'ops',
        queries: { '{{cache}} {{result}}': sum('cache, result', rate('cache_requests_total')) },
        stack: true,
        span: 12,
      }),
    ],
  },
} satisfies Description
