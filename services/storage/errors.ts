import { defineError } from '#lib/errors.ts'

export const StorageQuotaReached = defineError({
  code: 'storage_quota_reached',
  status: 409,
  title: 'Storage quota reached',
  detail: 'There is not enough space left for the file: delete others for good first.',
})

export const FileStoreUnavailable = defineError({
  code: 'file_store_unavailable',
  status: 503,
  title: 'File store unavailable',
  detail: 'The store of files does not answer as it should.',
})

export const FilesDisabled = defineError({
  code: 'files_disabled',
  status: 404,
  title: 'Files disabled',
  detail: 'The service is set up without a store of files.',
})

export const ObjectTaken = defineError({
  code: 'upload_taken_over',
  status: 409,
  title: 'Upload taken over',
  detail: 'A later request goes on with the upload, or this one was away for too long: ask how far it is.',
})

export const UnknownSpace = defineError({
  code: 'space_not_found',
  status: 404,
  title: 'Space not found',
  detail: 'There is no user or organization with this id.',
})
