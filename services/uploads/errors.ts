import { defineError } from '#lib/errors.ts'

export const UploadNotFound = defineError({
  code: 'upload_not_found',
  status: 404,
  title: 'Upload not found',
  detail: 'There is no such upload, or its time is over.',
})

export const InvalidUpload = defineError({
  code: 'invalid_upload',
  status: 400,
  title: 'Invalid upload',
  detail: 'The headers of the upload are missing, malformed, or contradict what was said before.',
})

export const DirectUploadsUnavailable = defineError({
  code: 'direct_uploads_unavailable',
  status: 404,
  title: 'Direct uploads unavailable',
  detail: 'The store of this service takes nothing from clients: send the content to the service.',
})

export const UploadIncomplete = defineError({
  code: 'upload_incomplete',
  status: 409,
  title: 'Upload incomplete',
  detail: 'Not all parts have come.',
})

export const UploadOffsetMismatch = defineError({
  code: 'upload_offset_mismatch',
  status: 409,
  title: 'Upload offset mismatch',
  detail: 'The upload does not go on at `Upload-Offset`: ask by HEAD where it does.',
})

export const UploadChecksumMismatch = defineError({
  code: 'upload_checksum_mismatch',
  status: 460,
  title: 'Upload checksum mismatch',
  detail: 'The bytes are not those that `Upload-Checksum` was made of. None of them counts: send them again.',
})

export const TusVersionNotSupported = defineError({
  code: 'tus_version_not_supported',
  status: 412,
  title: 'Version of tus not supported',
  detail: 'The service speaks version 1.0.0 of tus: `Tus-Resumable: 1.0.0`.',
})
