import type { Description } from '../dashboard.ts'
import { graph, stat } from '../panels.ts'
import { quantile, rate, series, sum, top } from '../promql.ts'

const COUNT = 'http_request_duration_seconds_count'
const DURATION = 'http_request_duration_seconds'
/** Operations that nobody waits for, as in rules/slo.yml. */
const SERVED = 'operation!~"getLiveness|getReadiness|getHealth|getMetrics|unknown|other"'

export default {
  title: 'Overview',
  description: 'Traffic, errors, latency and saturation; where to begin.',
  rows: {
    'Service level': [
      stat('Requests without a server error, last 3 days', {
        unit: 'percentunit',
        description: 'The objective is 99.9 %. Of all instances.',
        query: '1 - job:http_requests_failed:ratio_rate3d{job="$job"}',
        thresholds: { warn: 0.9995, bad: 0.999 },
      }),
      stat('Requests within 250 ms, last 3 days', {
        unit: 'percentunit',
        description:
          'The objective is 99 %, operations that hash passwords or transfer files apart. Of all instances.',
        query: '1 - job:http_requests_slow:ratio_rate3d{job="$job"}',
        thresholds: { warn: 0.995, bad: 0.99 },
      }),
      stat('Error budget burn rate, last hour', {
        unit: 'short',
        description: 'How many times faster than acceptable, over an hour; an alert pages from 14.4 on.',
        query: 'job:http_requests_failed:ratio_rate1h{job="$job"} / 0.001',
        thresholds: { warn: 1, bad: 14.4 },
      }),
      stat('Firing alerts', {
        unit: 'short',
        query: 'count(ALERTS{alertstate="firing", alertname=~"Groundwork.*"}) or vector(0)',
        thresholds: { bad: 1 },
      }),
      stat('Ready instances', {
        unit: 'short',
        query: `count(min by (instance) (${series('health_check_up')}) == 1) or vector(0)`,
        thresholds: { warn: 2, bad: 1 },
      }),
      stat('Running versions', {
        unit: 'short',
        query: `count by (version) (${series('app_info')})`,
        legend: '{{version}}',
      }),
    ],
    Traffic: [
      graph('Requests by status', {
        unit: 'reqps',
        description: 'With those that were refused at admission (503), which reached no operation.',
        queries: {
          '{{status_code}}': sum('status_code', rate(COUNT, SERVED)),
          'refused at admission': sum('', rate('http_requests_refused_total', 'stage="admission"')),
        },
        stack: true,
      }),
      graph('Busiest operations', {
        unit: 'reqps',
        description: 'The ten most asked for.',
        queries: { '{{operation}}': top(10, sum('operation', rate(COUNT, SERVED))) },
      }),
      graph('Requests in flight', {
        unit: 'short',
        queries: { '{{instance}}': series('http_requests_in_flight') },
      }),
    ],
    Errors: [
      graph('Share of requests that fail', {
        unit: 'percentunit',
        description: '5xx of all that users asked for. Of all instances.',
        queries: {
          '5 minutes': 'job:http_requests_failed:ratio_rate5m{job="$job"}',
          '1 hour': 'job:http_requests_failed:ratio_rate1h{job="$job"}',
        },
        thresholds: { warn: 0.001, bad: 0.0144 },
      }),
      graph('5xx by operation', {
        unit: 'reqps',
        description: 'What was refused at admission reached no operation, and is in "Refused requests".',
        queries: {
          '{{operation}} {{status_code}}': sum('operation, status_code', rate(COUNT, 'status_code=~"5.."')),
        },
      }),
      graph('4xx by operation', {
        unit: 'reqps',
        description: 'What clients do wrong; 499 is a client that left. The ten most frequent.',
        queries: {
          '{{operation}} {{status_code}}': top(
            10,
            sum('operation, status_code', rate(COUNT, 'status_code=~"4.."')),
          ),
        },
      }),
    ],
    'Refused and limited': [
      graph('Refused requests', {
        unit: 'reqps',
        description:
          'By reason. Refused at admission: they reached no operation. All are answered 503, except what Node could not read as a request.',
        queries: {
          '{{stage}}: {{reason}}': sum('stage, reason', `${rate('http_requests_refused_total')} > 0`),
        },
        stack: true,
      }),
      graph('Rate limited requests (429)', {
        unit: 'reqps',
        description:
          'By whose limit was reached: that of the user, the API key, its organization or the client address.',
        queries: { 'limit of the {{subject}}': sum('subject', rate('rate_limit_refusals_total')) },
      }),
      graph('Top errors', {
        unit: 'short',
        description:
          'Errors in an hour by operation, type and fingerprint, the ten most frequent; the log has their cause.',
        queries: {
          '{{operation}} {{type}} {{fingerprint}}': top(
            10,
            `${sum('operation, type, fingerprint', `increase(${series('errors_total')}[1h])`)} > 0`,
          ),
        },
      }),
    ],
    Latency: [
      graph('Response time', {
        unit: 's',
        queries: {
          p50: quantile(0.5, '', DURATION, SERVED),
          p95: quantile(0.95, '', DURATION, SERVED),
          p99: quantile(0.99, '', DURATION, SERVED),
        },
        thresholds: { bad: 0.25 },
        exemplars: true,
      }),
      graph('Slowest operations (p99)', {
        unit: 's',
        description:
          'The ten slowest. Those that hash passwords are slow on purpose, and contents of files take as long as the client.',
        queries: { '{{operation}}': top(10, quantile(0.99, 'operation', DURATION, SERVED)) },
        thresholds: { bad: 0.25 },
        exemplars: true,
      }),
      graph('Share of requests slower than 250 ms', {
        unit: 'percentunit',
        description:
          'Above 250 ms, operations that hash passwords or transfer files apart. Of all instances.',
        queries: {
          '5 minutes': 'job:http_requests_slow:ratio_rate5m{job="$job"}',
          '1 hour': 'job:http_requests_slow:ratio_rate1h{job="$job"}',
        },
        thresholds: { warn: 0.01, bad: 0.144 },
      }),
    ],
    Saturation: [
      graph('CPU by instance', {
        unit: 'percentunit',
        description: 'Of one core: JavaScript can use one, password hashes use more.',
        queries: { '{{instance}}': rate('process_cpu_seconds_total') },
      }),
      graph('Event loop delay (p99)', {
        unit: 's',
        queries: { '{{instance}}': series('nodejs_eventloop_lag_p99_seconds') },
        thresholds: { bad: 0.2 },
      }),
      graph('Memory used, share of the limit', {
        unit: 'percentunit',
        description:
          'Of the container, or of the machine where there is no limit. At 100 % the process is killed.',
        queries: {
          '{{instance}}': `${series('process_resident_memory_bytes')} / ${series('process_memory_limit_bytes')}`,
        },
        thresholds: { warn: 0.8, bad: 0.9 },
      }),
      graph('Requests waiting for a database connection', {
        unit: 'short',
        queries: { '{{instance}}': series('db_pool_connections', 'state="waiting"') },
      }),
      graph('Passwords waiting to be hashed', {
        unit: 'short',
        queries: { '{{instance}}': series('password_hash_queue_length') },
        thresholds: { bad: 16 },
      }),
      graph('Delay of the oldest job', {
        unit: 's',
        queries: { '{{queue}}': `max by (queue) (${series('job_oldest_age_seconds')})` },
        thresholds: { warn: 60, bad: 300 },
      }),
    ],
  },
} satisfies Description
