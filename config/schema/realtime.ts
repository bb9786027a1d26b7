import { Type } from '@sinclair/typebox'
import { Choice, Duration, Secret, Section, Size, Text } from './kinds.ts'

const count = (description: string, maximum: number) => Type.Integer({ minimum: 1, maximum, description })

const Centrifugo = Section('The Centrifugo cluster, where `realtime.engine` is `centrifugo`.', {
  url: Type.Optional(
    Text({
      format: 'public-url',
      description:
        'Where its HTTP API is, without `/api`, such as `http://centrifugo:9000`. Any node will do, or what stands before them.',
    }),
  ),
  api_key: Type.Optional(Secret({ description: 'Its `http_api.key`, with which the service publishes.' })),
  proxy_secret: Type.Optional(
    Secret({
      description:
        'What it sends as `X-Centrifugo-Secret` when it asks the service about its clients. At least 32 random characters.',
    }),
  ),
  recheck: Duration({
    minimum: '5s',
    maximum: '1h',
    description:
      'How often it asks again whether a client may go on. Changes that the service makes itself need no such question.',
  }),
})

/** Keys below `realtime`. */
export const RealtimeSettings = Section('What happens, told live to clients (docs/realtime.md).', {
  engine: Choice(['embedded', 'centrifugo', 'none'], {
    description:
      '`embedded`: the service itself, in every process that serves, by PostgreSQL alone. `centrifugo`: a Centrifugo cluster (docs/realtime/centrifugo.md), to which the limits and the history below do not apply. `none`: nothing is told live.',
  }),
  history: Duration({
    minimum: '1m',
    maximum: '7d',
    description:
      'How long a client may be away and still get what it missed; after that it has to load again.',
  }),
  history_size: count(
    'Messages of a channel that a client may have missed; with more it has to load again.',
    10_000,
  ),
  connections: count('Connections of all clients, in each process.', 1_000_000),
  connections_per_address: count(
    'Connections from one address, or one /64 of IPv6, in each process.',
    1_000_000,
  ),
  connections_per_user: count('Connections of one user, in each process.', 100_000),
  subscriptions_per_organization: count(
    'Subscriptions to channels of one organization, in each process.',
    1_000_000,
  ),
  channels_per_connection: count('Channels that one connection may listen to.', 10_000),
  max_waiting: Size({
    minimum: '64KiB',
    maximum: '64MiB',
    description: 'Bytes that may wait for a client that reads slowly; with more its connection ends.',
  }),
  ping_interval: Duration({
    minimum: '2s',
    maximum: '5m',
    description:
      'How often a client is asked for a sign of life; one that does not answer within 8 s, or the interval if that is shorter, is gone. Shorter than what any proxy on the way waits.',
  }),
  centrifugo: Centrifugo,
})
