import { type Static, Type } from '@sinclair/typebox'
import { Nullable, Uuid } from './primitives.ts'

const Client = Type.Object(
  {
    id: Type.String({
      maxLength: 64,
      description: 'Identifier of the connection: somebody with two tabs has two.',
      examples: ['0d3f6b1c-55f2-4a8e-9a3d-0c9b1f7a2e64'],
    }),
    user_id: Nullable(Uuid('Account of who listens; null for an API key.')),
    api_key_id: Nullable(Uuid('API key by which a program listens; null for a person.')),
  },
  { additionalProperties: false },
)

/** Who listens to a channel. */
export const ChannelPresence = Type.Object(
  {
    channel: Type.String({
      description: 'Name of the channel.',
      examples: ['organizations:01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90:projects'],
    }),
    client_count: Type.Integer({ minimum: 0, description: 'Connections that listen.', examples: [2] }),
    caller_count: Type.Integer({
      minimum: 0,
      description: 'People and API keys whose connections these are.',
      examples: [1],
    }),
    clients: Type.Array(Client, {
      maxItems: 1000,
      description: 'The connections, those first that came first; of more than 1000 not all.',
    }),
  },
  { $id: 'ChannelPresence', additionalProperties: false },
)
export type ChannelPresence = Static<typeof ChannelPresence>

/** Query of getChannelPresence. */
export const ChannelPresenceQuery = Type.Object(
  {
    channel: Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'Name of the channel, one of the organization that has presence.',
      examples: ['organizations:01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90:projects'],
    }),
  },
  { additionalProperties: false },
)
export type ChannelPresenceQuery = Static<typeof ChannelPresenceQuery>
