import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { OrganizationParams } from '#schemas/organizations.ts'
import { ChannelPresence, ChannelPresenceQuery } from '#schemas/presence.ts'
import { ref } from '#schemas/registry.ts'
import {
  ChannelNotFound,
  ChannelWithoutPresence,
  RealtimeDisabled,
  RealtimeUnavailable,
} from '#services/realtime/errors.ts'
import * as presence from '#services/realtime/presence/presence.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: {
        permission: 'members:read',
        errors: [ChannelNotFound, ChannelWithoutPresence, RealtimeDisabled, RealtimeUnavailable],
      },
      schema: {
        operationId: 'getChannelPresence',
        tags: ['realtime'],
        summary: 'Read who listens to a channel',
        description:
          'The channel is one of the organization that has presence, and that the caller could listen to as well. Who ' +
          'was cut off is still there for some seconds. Those who listen may ask the same on the connection, and hear ' +
          'who comes and goes.',
        params: OrganizationParams,
        querystring: ChannelPresenceQuery,
        response: { 200: ref(ChannelPresence) },
      },
    },
    (request) => presence.get(request.inOrganization(), request.asListener(), request.query.channel),
  )
}

export default routes
