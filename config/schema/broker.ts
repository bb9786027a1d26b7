import { Type } from '@sinclair/typebox'
import { Choice, Duration, SecretList, Section, Text } from './kinds.ts'

/** Keys below `broker`. */
export const BrokerSettings = Section('The message broker, which brings events to other services.', {
  kind: Choice(['none', 'nats'], {
    description:
      "`nats`: every event is published to NATS JetStream (docs/broker.md). `none`: events go to the service's own consumers only, by PostgreSQL.",
  }),
  urls: SecretList({
    format: 'nats-url',
    description:
      'Servers of one NATS cluster: `nats://user:password@host:4222`, `nats://token@host`, or `tls://` to insist on TLS. User, password and token are those of the first.',
  }),
  prefix: Text({
    format: 'subject-prefix',
    description:
      'Name of the stream, and first part of its subjects; different for each service that shares a cluster.',
  }),
  replicas: Type.Integer({
    minimum: 1,
    maximum: 5,
    description:
      'Servers that keep each event, when the service creates the stream. With 1, set `sync_interval: always` on the server.',
  }),
  timeout: Duration({
    minimum: '10ms',
    maximum: '3s',
    description:
      'Time that a connection, and then the acknowledgement of published events, may take; after it the service connects again, and the events wait.',
  }),
})
