import { memberAdded, memberRemoved, memberUpdated } from '#services/members/events.ts'
import { defineChannel } from '#services/realtime/define-channel.ts'
import { sessionCreated, sessionReauthenticated, sessionsEnded } from '#services/sessions/events.ts'
import { userUpdated } from '#services/users/events.ts'
import {
  emailChanged,
  emailChangeRequested,
  emailVerified,
  passwordChanged,
  passwordReset,
} from './events.ts'

export const userChannel = defineChannel({
  name: 'user:{user_id}',
  description: 'What happens to your account, your sessions and your memberships.',
  events: [
    ...[userUpdated, passwordChanged, passwordReset, emailChangeRequested, emailChanged, emailVerified],
    ...[sessionCreated, sessionReauthenticated, sessionsEnded],
    ...[memberAdded, memberUpdated, memberRemoved],
  ],
  paramsOf({ subject, data }) {
    if (subject.type === 'user') return { user_id: subject.id }
    const { user_id }: { user_id?: unknown } = JSON.parse(data)
    return typeof user_id === 'string' ? { user_id } : undefined
  },
  authorize: (_ctx, listener, { user_id }) => listener.kind === 'user' && listener.user.id === user_id,
  isOwn: true,
})
