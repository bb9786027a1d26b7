import { FileNotFound, FileTooLarge, UploadInterrupted } from '#services/files/errors.ts'
import {
  FileStoreUnavailable,
  FilesDisabled,
  ObjectTaken,
  StorageQuotaReached,
} from '#services/storage/errors.ts'
import {
  InvalidUpload,
  TusVersionNotSupported,
  UploadChecksumMismatch,
  UploadNotFound,
  UploadOffsetMismatch,
} from '#services/uploads/errors.ts'

/** Errors of requests that bring bytes. */
export const APPEND_ERRORS = [
  ...[UploadNotFound, UploadOffsetMismatch, UploadChecksumMismatch, InvalidUpload, TusVersionNotSupported],
  ...[ObjectTaken, FileNotFound, FileTooLarge, UploadInterrupted],
  ...[StorageQuotaReached, FileStoreUnavailable, FilesDisabled],
]
