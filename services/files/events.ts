import { changedFields, defineEvent } from '#services/events/define-event.ts'

// Of organizations' files. People's own are nobody else's business.

export const fileCreated = defineEvent({
  type: 'files.created',
  of: 'organization',
  subject: 'file',
  description: 'A file was created, without content yet.',
  data: {},
})

export const fileWritten = defineEvent({
  type: 'files.written',
  of: 'organization',
  subject: 'file',
  description: 'A file got its content, or another one.',
  data: {},
})

export const fileUpdated = defineEvent({
  type: 'files.updated',
  of: 'organization',
  subject: 'file',
  description: 'A file was renamed.',
  data: { changed: changedFields('name') },
})

export const fileShared = defineEvent({
  type: 'files.shared',
  of: 'organization',
  subject: 'file',
  description: 'Somebody made a link to a file, which works without signing in.',
  data: {},
})

export const fileTrashed = defineEvent({
  type: 'files.trashed',
  of: 'organization',
  subject: 'file',
  description: 'A file was put into the trash.',
  data: {},
})

export const fileRestored = defineEvent({
  type: 'files.restored',
  of: 'organization',
  subject: 'file',
  description: 'A file was taken out of the trash.',
  data: {},
})

export const fileDeleted = defineEvent({
  type: 'files.deleted',
  of: 'organization',
  subject: 'file',
  description: 'Somebody deleted a file for good.',
  data: {},
})
