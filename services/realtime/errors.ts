import { defineError } from '#lib/errors.ts'

export const UpgradeRequired = defineError({
  code: 'upgrade_required',
  status: 426,
  title: 'Upgrade required',
  detail:
    'This is for WebSockets: connect with a client of Centrifugo, or listen to /realtime/events. Those who do so see this if a proxy on the way does not pass on `Upgrade`.',
})

export const OriginNotAllowed = defineError({
  code: 'origin_not_allowed',
  status: 403,
  title: 'Origin not allowed',
  detail: 'Pages of this origin may not connect; the operator can add it to `cors.allowed_origins`.',
})

export const TooManyConnections = defineError({
  code: 'too_many_connections',
  status: 429,
  title: 'Too many connections',
  detail: 'There are as many realtime connections as there may be, from here or of this user.',
})

export const ChannelNotFound = defineError({
  code: 'channel_not_found',
  status: 404,
  title: 'Channel not found',
  detail: 'There is no such channel, or it is not for you.',
})

export const ChannelWithoutPresence = defineError({
  code: 'channel_without_presence',
  status: 409,
  title: 'Channel without presence',
  detail: 'Nobody is told who listens to this channel.',
})

export const RealtimeUnavailable = defineError({
  code: 'realtime_unavailable',
  status: 503,
  title: 'Realtime unavailable',
  detail: 'What tells clients live does not answer as it should; try again later.',
})

export const RealtimeDisabled = defineError({
  code: 'realtime_disabled',
  status: 404,
  title: 'Realtime disabled',
  detail: 'The service is set up without realtime.',
})
