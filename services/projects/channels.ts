import { membersWith } from '#services/members/listening.ts'
import { defineChannel, ofOrganization } from '#services/realtime/define-channel.ts'
import { projectCreated, projectDeleted, projectUpdated } from './events.ts'

export const projectsChannel = defineChannel({
  name: 'organizations:{organization_id}:projects',
  description: 'What happens to the projects of an organization.',
  events: [projectCreated, projectUpdated, projectDeleted],
  paramsOf: ofOrganization,
  authorize: membersWith('projects:read'),
  hasPresence: true,
})
