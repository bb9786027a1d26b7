import { Type } from '@sinclair/typebox'
import { Choice, Duration, Section } from './kinds.ts'

/** Keys below `rate_limit`. */
export const RateLimit = Section(
  'How much one client may ask for. A request costs one point, some cost more (docs/api.md), probes none.',
  {
    enabled: Type.Boolean({ description: 'Whether requests are counted and limited.' }),
    per_user: Type.Integer({
      minimum: 1,
      maximum: 1_000_000_000,
      description: 'Points of a signed-in user in a window, over all sessions and instances.',
    }),
    per_api_key: Type.Integer({
      minimum: 1,
      maximum: 1_000_000_000,
      description: 'Points of an API key in a window, over all instances.',
    }),
    per_organization: Type.Integer({
      minimum: 1,
      maximum: 1_000_000_000,
      description: 'Points of all API keys of an organization together in a window.',
    }),
    per_address: Type.Integer({
      minimum: 1,
      maximum: 1_000_000_000,
      description:
        'Points of a client address (IPv6: of a /64) in a window, for requests without a token or key that has been seen to be valid. WebSockets that are asked for have as many of their own.',
    }),
    window: Duration({
      minimum: '1s',
      maximum: '1h',
      description: "Time from a client's first request until its count starts again.",
    }),
    store: Choice(['auto', 'memory', 'postgres', 'redis'], {
      description:
        'Where it is counted. `redis`: in Redis, at `redis.url`. `postgres`: in the database. `memory`: by each instance for itself. `auto`: in Redis where `redis.url` is set; else in memory while this is the only instance, and in the database when there are more.',
    }),
    database_timeout: Duration({
      minimum: '4ms',
      maximum: '10s',
      description:
        'Time that a request waits for the database to count it; past it the instance decides alone until the database answers again. Redis has `redis.command_timeout`.',
    }),
  },
)
