import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { ChannelNotFound, RealtimeDisabled, TooManyConnections } from '#services/realtime/errors.ts'

const Query = Type.Object(
  {
    channels: Type.String({
      minLength: 1,
      maxLength: 2000,
      description: 'Names of the channels to listen to, with commas between.',
      examples: ['user:01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'],
    }),
  },
  { additionalProperties: false },
)

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const list = app.channels.map(({ name, description }) => `- \`${name}\`: ${description}`).join('\n')
  app.get(
    '',
    {
      config: {
        access: 'caller',
        isStream: true,
        errors: [ChannelNotFound, TooManyConnections, RealtimeDisabled],
      },
      onRequest: app.authenticate({ access: 'caller' }),
      schema: {
        operationId: 'streamRealtimeEvents',
        tags: ['realtime'],
        summary: 'Listen to channels by server-sent events',
        description:
          `The channels are:\n\n${list}\n\n` +
          'Each message is an object with `channel` and `data`, the event as webhooks have it. The first event is ' +
          '`ready`; its `reload` names the channels whose state the client has to load again. A client that returns ' +
          'with `Last-Event-ID` and the same channels gets what it missed. The stream ends after ten minutes, with ' +
          'the access token, or when the caller is removed from an organization; then the client comes back. `EventSource` sends no `Authorization`, so use `fetch`.\n\n' +
          "The same is told by WebSocket at `/realtime`, in the JSON form of Centrifugo's client protocol: any of its " +
          'clients connects there, such as `centrifuge` of npm.',
        querystring: Query,
        response: {
          200: {
            description: 'The events, until the stream ends.',
            content: { 'text/event-stream': { schema: Type.String({ description: 'Events.' }) } },
          },
        },
      },
    },
    async (request, reply) => {
      await app.streamEvents(request, reply, [...new Set(request.query.channels.split(','))])
      return reply
    },
  )
}

export default routes
