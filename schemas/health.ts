import { type Static, Type } from '@sinclair/typebox'
import { StringEnum, Timestamp } from './primitives.ts'

const version = Type.String({ description: 'Version of the service.', examples: ['0.1.0'] })
const timestamp = Timestamp('When the response was made.')

/** Answer of getLiveness: the process runs its event loop. */
export const Liveness = Type.Object(
  {
    status: StringEnum(['alive'], { description: 'Always `alive`.', examples: ['alive'] }),
    version,
    timestamp,
  },
  { $id: 'Liveness', additionalProperties: false, description: 'The process is alive.' },
)
export type Liveness = Static<typeof Liveness>

const CheckName = StringEnum(['database', 'migrations', 'draining'], {
  description: 'What was checked.',
  examples: ['database'],
})
const CheckStatus = StringEnum(['up', 'down'], {
  description: 'Whether the check passed.',
  examples: ['up'],
})
const reason = Type.Optional(
  Type.String({ description: 'Why the check fails.', examples: ['the database does not answer'] }),
)

const ReadinessCheck = Type.Object(
  { name: CheckName, status: CheckStatus, reason },
  { additionalProperties: false },
)

/** Answer of getReadiness: whether a load balancer should send requests here. */
export const Readiness = Type.Object(
  {
    status: StringEnum(['ready', 'not_ready'], {
      description: '`ready` with 200, `not_ready` with 503.',
      examples: ['ready'],
    }),
    checks: Type.Array(ReadinessCheck, { description: 'Every check and its result.' }),
    version,
    timestamp,
  },
  { $id: 'Readiness', additionalProperties: false, description: 'Whether the instance takes requests.' },
)
export type Readiness = Static<typeof Readiness>

/** A check of /ready, with its latency. */
export const HealthCheck = Type.Object(
  {
    name: CheckName,
    status: CheckStatus,
    reason,
    latency_ms: Type.Number({
      minimum: 0,
      description: 'How long the check took, in milliseconds.',
      examples: [1.2],
    }),
  },
  { additionalProperties: false },
)

/** Answer of getHealth: the same checks, with what an operator wants to know besides. */
export const Health = Type.Object(
  {
    status: StringEnum(['healthy', 'unhealthy'], {
      description: '`healthy` with 200, `unhealthy` with 503.',
      examples: ['healthy'],
    }),
    checks: Type.Array(HealthCheck, { description: 'Every check, its result and its latency.' }),
    uptime_seconds: Type.Number({
      minimum: 0,
      description: 'Age of the process in seconds.',
      examples: [3600.5],
    }),
    version,
    timestamp,
  },
  { $id: 'Health', additionalProperties: false, description: 'Health of the instance.' },
)
export type Health = Static<typeof Health>
