import { changedFields, defineEvent } from '#services/events/define-event.ts'

export const projectCreated = defineEvent({
  type: 'projects.created',
  of: 'organization',
  subject: 'project',
  description: 'A project was created.',
  data: {},
})

export const projectUpdated = defineEvent({
  type: 'projects.updated',
  of: 'organization',
  subject: 'project',
  description: 'A project was changed.',
  data: { changed: changedFields('name', 'description', 'archived') },
})

export const projectDeleted = defineEvent({
  type: 'projects.deleted',
  of: 'organization',
  subject: 'project',
  description: 'A project was deleted.',
  data: {},
})
