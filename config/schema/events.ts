import { Duration, Section } from './kinds.ts'

/** Keys below `events`. */
export const Events = Section('Events: what happened in the service, told to others.', {
  retention: Duration({
    minimum: '1h',
    maximum: '3650d',
    description:
      'How long events are kept, taken or not; so long may a receiver or a broker be away, and so far back can they be sent again.',
  }),
})
