import { membersWith } from '#services/members/listening.ts'
import { defineChannel, ofOrganization } from '#services/realtime/define-channel.ts'
import * as events from './events.ts'

export const filesChannel = defineChannel({
  name: 'organizations:{organization_id}:files',
  description: 'What happens to the files of an organization.',
  events: [
    ...[events.fileCreated, events.fileWritten, events.fileUpdated],
    ...[events.fileScanned, events.fileQuarantined, events.fileReleased],
    ...[events.fileTrashed, events.fileRestored, events.fileDeleted],
  ],
  paramsOf: ofOrganization,
  authorize: membersWith('files:read'),
})
