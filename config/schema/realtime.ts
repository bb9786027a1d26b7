import { Type } from '@sinclair/typebox'
import { Choice, Duration, Section, Size } from './kinds.ts'

const count = (description: string, maximum: number) => Type.Integer({ minimum: 1, maximum, description })

/** Keys below `realtime`. */
export const RealtimeSettings = Section('What happens, told live to clients (docs/realtime.md).', {
  engine: Choice(['embedded', 'none'], {
    description:
      '`embedded`: the service itself, in every process that serves, by PostgreSQL alone. `none`: nothing is told live.',
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
})
