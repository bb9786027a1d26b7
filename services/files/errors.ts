import { defineError } from '#lib/errors.ts'

export const FileNotFound = defineError({
  code: 'file_not_found',
  status: 404,
  title: 'File not found',
  detail: 'There is no such file, or it is in the trash.',
})

export const FileChanged = defineError({
  code: 'file_changed',
  status: 412,
  title: 'File changed',
  detail: 'The file is no longer as `If-Match` says: read it again, then repeat the change.',
})

export const FileEmpty = defineError({
  code: 'file_without_content',
  status: 409,
  title: 'File without content',
  detail: 'The file has no content yet: send it first.',
})

export const FileBeingScanned = defineError({
  code: 'file_being_scanned',
  status: 409,
  title: 'File being scanned',
  detail: 'The malware scanner has not seen the content yet: read it again soon.',
})

export const FileQuarantined = defineError({
  code: 'file_quarantined',
  status: 403,
  title: 'File quarantined',
  detail: 'The malware scanner found something in the content, or could not look at it.',
})

export const FileNotQuarantined = defineError({
  code: 'file_not_quarantined',
  status: 404,
  title: 'File not quarantined',
  detail: 'There is no such file in quarantine.',
})

export const TooManyEmptyFiles = defineError({
  code: 'too_many_empty_files',
  status: 409,
  title: 'Too many empty files',
  detail: 'Too many files wait for their content: send it, or delete them.',
})

export const AvatarExists = defineError({
  code: 'avatar_exists',
  status: 409,
  title: 'Avatar exists',
  detail: 'There is another avatar since this one was deleted: delete that one first.',
})

export const FileTooLarge = defineError({
  code: 'file_too_large',
  status: 413,
  title: 'File too large',
  detail: 'The file is larger than a file for this purpose may be.',
})

export const FileTypeNotAllowed = defineError({
  code: 'file_type_not_allowed',
  status: 415,
  title: 'File type not allowed',
  detail: 'The bytes are not of a type that a file for this purpose may have.',
})

export const UploadInterrupted = defineError({
  code: 'upload_interrupted',
  status: 400,
  title: 'Upload interrupted',
  detail: 'The content did not arrive whole.',
})

export const InvalidLink = defineError({
  code: 'invalid_link',
  status: 404,
  title: 'Invalid link',
  detail: 'The link was not issued here, has expired, or leads to what is no longer there.',
})
