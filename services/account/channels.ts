import * as files from '#services/files/events.ts'
import {
  invitationCreated,
  invitationDeclined,
  invitationResent,
  invitationRevoked,
} from '#services/invitations/events.ts'
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
  description:
    'What happens to your account, your sessions, your memberships, your own files and the invitations to you.',
  events: [
    ...[userUpdated, passwordChanged, passwordReset, emailChangeRequested, emailChanged, emailVerified],
    ...[sessionCreated, sessionReauthenticated, sessionsEnded],
    ...[memberAdded, memberUpdated, memberRemoved],
    // Told to nobody else.
    ...[invitationCreated, invitationResent, invitationRevoked, invitationDeclined],
    ...[files.fileCreated, files.fileWritten, files.fileUpdated],
    ...[files.fileScanned, files.fileQuarantined, files.fileReleased],
    ...[files.fileTrashed, files.fileRestored, files.fileDeleted],
  ],
  paramsOf({ subject, data }) {
    if (subject.type === 'user') return { user_id: subject.id }
    const { user_id }: { user_id?: unknown } = JSON.parse(data)
    return typeof user_id === 'string' ? { user_id } : undefined
  },
  authorize: (_ctx, listener, { user_id }) => listener.kind === 'user' && listener.user.id === user_id,
  isOwn: true,
})
