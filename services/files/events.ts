import { StringEnum } from '#schemas/primitives.ts'
import { changedFields, defineEvent } from '#services/events/define-event.ts'

// Those of organizations' files are for everybody who hears events. Of people's own files, they alone are told.

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

export const fileScanned = defineEvent({
  type: 'files.scanned',
  of: 'organization',
  subject: 'file',
  description:
    'The content of a file can be read: the malware scanner found nothing, or need not look at it.',
  data: {
    result: StringEnum(['clean', 'passed'], {
      description: '`passed` was not looked at, because it is too large or the scanner failed.',
    }),
  },
})

export const fileQuarantined = defineEvent({
  type: 'files.quarantined',
  of: 'organization',
  subject: 'file',
  description:
    'Nobody can read the content of a file: the malware scanner found something, or could not look.',
  data: {
    reason: StringEnum(['infected', 'held'], {
      description: '`held` was not looked at, because it is too large or the scanner failed.',
    }),
  },
})

export const fileReleased = defineEvent({
  type: 'files.released',
  of: 'organization',
  subject: 'file',
  description: "One of the service's admins let a file out of quarantine.",
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
