import type { Description } from '../dashboard.ts'
import { graph, stat } from '../panels.ts'
import { mean, quantile, rate, series, share, sum } from '../promql.ts'

const MAIL = 'queue=~".*_mail"'
const DELIVERIES = 'queue=~"deliver_webhook.*"'

/** Every instance says the same of a queue. */
function once(labels: string, expression: string): string {
  return `max by (${labels}) (${expression})`
}

export default {
  title: 'Jobs and mail',
  description: 'What waits, what runs and what was given up.',
  rows: {
    Now: [
      stat('Waiting jobs', {
        unit: 'short',
        query: `sum(${once('queue, state', series('job_queue_depth', 'queue!="dead_letter"', 'state!="active"'))})`,
        span: 6,
      }),
      stat('Delay of the oldest job', {
        unit: 's',
        query: `max(${series('job_oldest_age_seconds', 'queue!="dead_letter"')})`,
        thresholds: { warn: 60, bad: 300 },
        span: 6,
      }),
      stat('Jobs given up (dead letters)', {
        unit: 'short',
        query: `sum(${once('state', series('job_queue_depth', 'queue="dead_letter"'))})`,
        thresholds: { bad: 1 },
        span: 6,
      }),
      stat('Waiting mails', {
        unit: 'short',
        query: `sum(${once('queue, state', series('job_queue_depth', MAIL))})`,
        span: 6,
      }),
    ],
    Queues: [
      graph('Unfinished jobs by queue', {
        unit: 'short',
        queries: { '{{queue}} {{state}}': once('queue, state', series('job_queue_depth')) },
        span: 12,
      }),
      graph('Delay of the oldest job', {
        unit: 's',
        queries: { '{{queue}}': once('queue', series('job_oldest_age_seconds')) },
        thresholds: { warn: 60, bad: 300 },
        span: 12,
      }),
    ],
    Events: [
      graph('Delay of the oldest event', {
        unit: 's',
        queries: { '{{sink}}': once('sink', series('events_oldest_age_seconds')) },
        thresholds: { warn: 10, bad: 60 },
        span: 12,
      }),
      graph('Events that sinks took, and attempts that failed', {
        unit: 'ops',
        queries: {
          '{{sink}}': sum('sink', rate('events_relayed_total')),
          '{{sink}} failed': sum('sink', rate('events_relay_failures_total')),
        },
        span: 12,
      }),
    ],
    Realtime: [
      graph('Clients that listen, and their subscriptions', {
        unit: 'short',
        queries: {
          '{{transport}}': sum('transport', series('realtime_connections')),
          subscriptions: sum('', series('realtime_subscriptions')),
        },
      }),
      graph('Messages sent, and returns of clients', {
        unit: 'ops',
        queries: {
          sent: sum('', rate('realtime_deliveries_total')),
          '{{outcome}}': sum('outcome', rate('realtime_recoveries_total')),
        },
      }),
      graph('Connections that ended, by reason', {
        unit: 'ops',
        queries: { '{{reason}}': sum('reason', rate('realtime_connections_ended_total')) },
      }),
      graph('Time since each instance read', {
        unit: 's',
        queries: { '{{instance}}': series('realtime_reader_silence_seconds') },
        thresholds: { warn: 5, bad: 15 },
      }),
      graph('Workers that reach Centrifugo', {
        unit: 'short',
        queries: { workers: `sum(${series('realtime_centrifugo_up')})` },
      }),
    ],
    Webhooks: [
      graph('Attempts to deliver by outcome', {
        unit: 'ops',
        description: '`delivered`, `status` for an answer that is not 2xx, or the fault.',
        queries: { '{{outcome}}': sum('outcome', rate('webhook_attempts_total')) },
      }),
      graph('Delay of the oldest attempt that is due', {
        unit: 's',
        description: 'Endpoints that failed or were slow have the slow queue to themselves.',
        queries: { '{{queue}}': once('queue', series('job_oldest_age_seconds', DELIVERIES)) },
        thresholds: { warn: 60, bad: 300 },
      }),
      graph('Time of an attempt', {
        unit: 's',
        queries: {
          p50: quantile(0.5, '', 'webhook_attempt_duration_seconds'),
          p99: quantile(0.99, '', 'webhook_attempt_duration_seconds'),
        },
      }),
      graph('Webhooks that the service disabled', {
        unit: 'ops',
        description: '`gone`: the receiver answered 410; `failing`: it took nothing for days.',
        queries: { '{{reason}}': sum('reason', rate('webhook_endpoints_disabled_total')) },
      }),
    ],
    'Message broker': [
      graph('Instances that reach the broker', {
        unit: 'short',
        queries: { instances: `sum(${series('broker_up')})` },
      }),
      graph('Events received for consumers, and streams created', {
        unit: 'ops',
        queries: {
          received: sum('', rate('broker_events_received_total')),
          'streams created': sum('', rate('broker_streams_created_total')),
        },
      }),
      graph('Time to publish a batch', {
        unit: 's',
        queries: { p99: quantile(0.99, '', 'broker_publish_duration_seconds') },
      }),
    ],
    Files: [
      graph('Parts of uploads by outcome', {
        unit: 'ops',
        queries: { '{{outcome}}': sum('outcome', rate('uploads_parts_total')) },
      }),
      graph('Contents that were to be scanned, by outcome', {
        unit: 'ops',
        queries: { '{{outcome}}': sum('outcome', rate('file_scans_total')) },
      }),
      graph('Longest wait for the malware scanner', {
        unit: 's',
        queries: { seconds: `max(${series('file_scan_oldest_age_seconds')})` },
        thresholds: { bad: 600 },
      }),
    ],
    Runs: [
      graph('Job runs by outcome', {
        unit: 'ops',
        queries: { '{{queue}} {{outcome}}': sum('queue, outcome', rate('job_runs_total')) },
      }),
      graph('Share of job runs that fail', {
        unit: 'percentunit',
        queries: {
          '{{queue}}': share(
            sum('queue', rate('job_runs_total', 'outcome=~"retried|dead"')),
            sum('queue', rate('job_runs_total')),
          ),
        },
        thresholds: { bad: 0.5 },
      }),
      graph('Job run time', {
        unit: 's',
        queries: {
          '{{queue}} mean': mean('queue', 'job_duration_seconds'),
          '{{queue}} p95': quantile(0.95, 'queue', 'job_duration_seconds'),
        },
      }),
    ],
    Mail: [
      graph('Mail jobs by outcome', {
        unit: 'ops',
        description: '`send_mail` sends; the others write mails that depend on the account.',
        queries: { '{{queue}} {{outcome}}': sum('queue, outcome', rate('job_runs_total', MAIL)) },
        span: 12,
      }),
      graph('Time to send a mail', {
        unit: 's',
        queries: {
          p50: quantile(0.5, '', 'job_duration_seconds', 'queue="send_mail"'),
          p95: quantile(0.95, '', 'job_duration_seconds', 'queue="send_mail"'),
        },
        span: 12,
      }),
    ],
    'Audit log': [
      stat('Problems found', {
        unit: 'short',
        description: 'By the last verifications, and entries that were refused a seal.',
        query: `max(${series('audit_problems')}) + max(${series('audit_entries_refused')})`,
        thresholds: { bad: 1 },
      }),
      graph('Time to the seal', {
        unit: 's',
        queries: {
          p50: quantile(0.5, '', 'audit_sealing_lag_seconds'),
          p99: quantile(0.99, '', 'audit_sealing_lag_seconds'),
          'oldest that waits': `max(${series('audit_pending_age_seconds')})`,
        },
      }),
      graph('Age of the verifications', {
        unit: 's',
        queries: {
          'what is new': `max(${series('audit_verified_age_seconds')})`,
          everything: `max(${series('audit_verified_all_age_seconds')})`,
        },
      }),
      graph('Refusals that are not recorded one by one', {
        unit: 'ops',
        queries: { refusals: sum('', rate('audit_denials_dropped_total')) },
      }),
    ],
  },
} satisfies Description
