import { defineChannel } from '#services/realtime/define-channel.ts'

/** Who listens is counted, so that nobody finds out how the service is while nobody wants to know. */
export const healthChannel = defineChannel({
  name: 'operations:health',
  description:
    'How the service is, every five seconds while somebody listens: `data` is what `getHealthSummary` returns. Only an admin may listen.',
  // No event tells of it.
  events: [],
  paramsOf: () => undefined,
  authorize: (_ctx, listener) => listener.kind === 'user' && listener.user.role === 'admin',
  hasPresence: true,
})
