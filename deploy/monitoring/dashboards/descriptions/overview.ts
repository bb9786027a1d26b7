import type { Description } from '../dashboard.ts'
import { graph, stat } from '../panels.ts'
import { quantile, rate, series, sum, top } from '../promql.ts'

const COUNT = 'http_request_duration_seconds_count'
const DURATION = 'http_request_duration_seconds'
/** What nobody waits for, as in rules/slo.yml. */
const SERVED = 'operation!~"getLiveness|getReadiness|getHealth|getMetrics|unknown|other"'

export default {
  title: 'Overview',
  description: 'Traffic, errors, latency and saturation; where to begin.',
  rows: {
    'Service level': [
      stat('Answered without a fault, 3 days', {
        unit: 'percentunit',
        description: 'The objective is 99.9 %. Of all instances.',
        query: '1 - job:http_requests_failed:ratio_rate3d{job="$job"}',
        thresholds: { warn: 0.9995, bad: 0.999 },
      }),
      stat('Within 250 ms, 3 days', {
        unit: 'percentunit',
        description: 'The objective is 99 %, operations that hash passwords apart. Of all instances.',
        query: '1 - job:http_requests_slow:ratio_rate3d{job="$job"}',
        thresholds: { warn: 0.995, bad: 0.99 },
      }),
      stat('Error budget in use', {
        unit: 'short',
        description: 'How many times faster than bearable, over an hour; an alert pages from 14.4 on.',
        query: 'job:http_requests_failed:ratio_rate1h{job="$job"} / 0.001',
        thresholds: { warn: 1, bad: 14.4 },
      }),
      stat('Alerts', {
        unit: 'short',
        query: 'count(ALERTS{alertstate="firing", alertname=~"Groundwork.*"}) or vector(0)',
        thresholds: { bad: 1 },
      }),
      stat('Instances that are ready', {
        unit: 'short',
        query: `count(min by (instance) (${series('health_check_up')}) == 1) or vector(0)`,
        thresholds: { warn: 2, bad: 1 },
      }),
      stat('Versions', {
        unit: 'short',
        query: `count by (version) (${series('app_info')})`,
        legend: '{{version}}',
      }),
    ],
    Traffic: [
      graph('Requests', {
        unit: 'reqps',
        queries: { '{{status_code}}': sum('status_code', rate(COUNT, SERVED)) },
        stack: true,
      }),
      graph('Operations', {
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
      graph('Failed requests', {
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
    Latency: [
      graph('Time of a request', {
        unit: 's',
        queries: {
          p50: quantile(0.5, '', DURATION, SERVED),
          p95: quantile(0.95, '', DURATION, SERVED),
          p99: quantile(0.99, '', DURATION, SERVED),
        },
        thresholds: { bad: 0.25 },
        exemplars: true,
      }),
      graph('p99 by operation', {
        unit: 's',
        description: 'The ten slowest. Those that hash passwords are slow on purpose.',
        queries: { '{{operation}}': top(10, quantile(0.99, 'operation', DURATION, SERVED)) },
        thresholds: { bad: 0.25 },
        exemplars: true,
      }),
      graph('Slow requests', {
        unit: 'percentunit',
        description: 'Above 250 ms, operations that hash passwords apart. Of all instances.',
        queries: {
          '5 minutes': 'job:http_requests_slow:ratio_rate5m{job="$job"}',
          '1 hour': 'job:http_requests_slow:ratio_rate1h{job="$job"}',
        },
        thresholds: { warn: 0.01, bad: 0.144 },
      }),
    ],
    Saturation: [
      graph('Processor', {
        unit: 'percentunit',
        description: 'Of one core: JavaScript can use one, password hashes use more.',
        queries: { '{{instance}}': rate('process_cpu_seconds_total') },
      }),
      graph('Event loop, p99 of its lag', {
        unit: 's',
        queries: { '{{instance}}': series('nodejs_eventloop_lag_p99_seconds') },
        thresholds: { bad: 0.2 },
      }),
      graph('Resident memory', {
        unit: 'bytes',
        queries: { '{{instance}}': series('process_resident_memory_bytes') },
      }),
      graph('Waiting for a database connection', {
        unit: 'short',
        queries: { '{{instance}}': series('db_pool_connections', 'state="waiting"') },
      }),
      graph('Passwords that wait for a core', {
        unit: 'short',
        queries: { '{{instance}}': series('password_hash_queue_length') },
        thresholds: { bad: 16 },
      }),
      graph('Age of the oldest job that is due', {
        unit: 's',
        queries: { '{{queue}}': `max by (queue) (${series('job_oldest_age_seconds')})` },
        thresholds: { warn: 60, bad: 300 },
      }),
    ],
  },
} satisfies Description
