import { Type } from '@sinclair/typebox'
import { Duration, Secret, Section, Text } from './kinds.ts'

/** Keys below `redis`. */
export const Redis = Section('Redis or Valkey: a help for several instances, and never a need.', {
  url: Type.Optional(
    Secret({
      format: 'redis-url',
      description:
        'Where the server is: `redis://user:password@host:6379/0`, or `rediss://` for TLS. Without it Redis is not used.',
    }),
  ),
  key_prefix: Text({
    format: 'key-prefix',
    description: 'Prefix of every key; different for each service that shares a server.',
  }),
  command_timeout: Duration({
    minimum: '4ms',
    maximum: '5s',
    description:
      'Time that one command may take; after it the service works without Redis and reconnects. A request waits no longer than this.',
  }),
})
