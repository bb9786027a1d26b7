import fp from 'fastify-plugin'
import type { EventType } from '#services/events/define-event.ts'
import { findEventTypes } from '#services/events/find-event-types.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Every kind of event, by name. */
    readonly eventTypes: readonly EventType[]
  }
}

/** The kinds of events that the domains declare (services/<domain>/events.ts). */
export default fp(
  async (app) => {
    app.decorate('eventTypes', await findEventTypes())
  },
  { name: 'event-types' },
)
