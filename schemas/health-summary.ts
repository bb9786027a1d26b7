import { type Static, Type } from '@sinclair/typebox'
import { HealthCheck } from './health.ts'
import { queueCounts } from './jobs.ts'
import { Nullable, StringEnum, Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'

const Age = (description: string) => Type.Number({ minimum: 0, description, examples: [1.5] })
const MaybeAge = (description: string) => Nullable(Age(description))
const Bytes = (description: string) => Type.Integer({ minimum: 0, description, examples: [73_400_320] })
const Flag = (description: string) => Type.Boolean({ description, examples: [false] })
const Version = Type.String({ description: 'Version of the service.', examples: ['0.1.0'] })
const Part = <T extends Parameters<typeof Type.Object>[0]>(properties: T, description: string) =>
  Type.Object(properties, { additionalProperties: false, description })

const Instance = Part(
  {
    id: Uuid('Identifier of the process.'),
    version: Version,
    started_at: Timestamp('When it started.'),
    seen_at: Timestamp('When it last showed that it serves.'),
    is_current: Flag('Whether it sends this response.'),
  },
  'A process that serves requests.',
)

/** State of the audit log, for admins. */
export const AuditVerification = Type.Object(
  {
    oldest_unsealed_seconds: Age('How long the oldest entry has waited to be sealed.'),
    refused: Type.Integer({
      minimum: 0,
      description: 'Entries that are not what the service wrote, up to 1000.',
      examples: [0],
    }),
    verified_new_seconds: MaybeAge('Time since what is new was verified; null if it never was.'),
    verified_all_seconds: MaybeAge('Time since everything was verified; null if it never was.'),
    problems: Type.Integer({ minimum: 0, description: 'Problems that these found.', examples: [0] }),
  },
  {
    $id: 'AuditVerification',
    additionalProperties: false,
    description: 'Whether the audit log is sealed and verified.',
  },
)
export type AuditVerification = Static<typeof AuditVerification>

/** How the service is, as a whole. */
export const HealthSummary = Type.Object(
  {
    checked_at: Timestamp('When this was asked.'),
    version: Version,
    uptime_seconds: Age('Age of the process that answers.'),
    checks: Type.Array(HealthCheck, { description: 'The checks of /ready.' }),
    instances: Type.Array(Instance, { description: 'All processes that serve.' }),
    pressure: Part(
      {
        event_loop_delay_ms: Age('Delay of the event loop.'),
        event_loop_utilization: Type.Number({
          minimum: 0,
          maximum: 1,
          description: 'Share of the time that the event loop works.',
          examples: [0.25],
        }),
        heap_used_bytes: Bytes('Memory that JavaScript uses.'),
        heap_limit_bytes: Bytes('Memory that it may use.'),
        rss_bytes: Bytes('Memory of the process.'),
        is_under_pressure: Flag('Whether requests are refused because of it.'),
      },
      'Load of the process that answers.',
    ),
    jobs: Part(
      {
        ...queueCounts,
        paused: Type.Array(Type.String({ description: 'Name of a queue.', examples: ['send_mail'] }), {
          description: 'Queues that are paused.',
        }),
      },
      'Jobs of all queues.',
    ),
    backup: Part(
      {
        last_at: Nullable(Timestamp('Moment whose state the last good backup holds; null without one.')),
        age_seconds: MaybeAge('Age of it.'),
      },
      'The last backup.',
    ),
    mails: Part(
      {
        waiting: Type.Integer({ minimum: 0, description: 'Mails that wait to be sent.', examples: [0] }),
        failed: Type.Integer({ minimum: 0, description: 'Mails that were given up.', examples: [0] }),
        oldest_due_seconds: Age('How long the mail that is due longest has been so.'),
        has_transport: Flag('Whether this process knows how to send mail.'),
      },
      'Mails that are to be sent.',
    ),
    outbox: Part(
      { oldest_seconds: Age('How long the oldest event has waited.') },
      'Events that wait to be passed on.',
    ),
    broker: Part(
      {
        kind: StringEnum(['none', 'nats'], {
          description: '`none`: PostgreSQL brings events to consumers.',
          examples: ['nats'],
        }),
        oldest_seconds: MaybeAge('How long the oldest event has waited for NATS; null without NATS.'),
      },
      'The broker of events.',
    ),
    audit: ref(AuditVerification),
  },
  { $id: 'HealthSummary', additionalProperties: false, description: 'How the service is, as a whole.' },
)
export type HealthSummary = Static<typeof HealthSummary>
