import { membersWith } from '#services/members/listening.ts'
import { defineChannel, ofOrganization } from '#services/realtime/define-channel.ts'
import { fileCreated, fileDeleted, fileRestored, fileTrashed, fileUpdated, fileWritten } from './events.ts'

export const filesChannel = defineChannel({
  name: 'organizations:{organization_id}:files',
  description: 'What happens to the files of an organization.',
  events: [fileCreated, fileWritten, fileUpdated, fileTrashed, fileRestored, fileDeleted],
  paramsOf: ofOrganization,
  authorize: membersWith('files:read'),
})
