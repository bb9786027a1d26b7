import type { UploadState } from '#services/uploads/state.ts'
import { CHECKSUM_ALGORITHMS, TUS_VERSION } from './headers.ts'

/** Abilities of the service, as tus and the draft ask for them. */
export function capabilities(maxSize: number): Record<string, string> {
  return {
    'tus-resumable': TUS_VERSION,
    'tus-version': TUS_VERSION,
    'tus-extension': 'creation,creation-with-upload,creation-defer-length,expiration,termination,checksum',
    'tus-checksum-algorithm': CHECKSUM_ALGORITHMS,
    'tus-max-size': String(maxSize),
    'upload-limit': `max-size=${maxSize}`,
  }
}

/** How far an upload is, in the headers of tus and of the draft, which do not contradict each other. */
export function uploadHeaders(upload: UploadState, maxSize: number): Record<string, string> {
  const { offset, length, complete, expires_at, metadata } = upload
  return {
    'upload-offset': String(offset),
    ...(length === null ? { 'upload-defer-length': '1' } : { 'upload-length': String(length) }),
    ...(metadata === null ? {} : { 'upload-metadata': metadata }),
    'upload-expires': new Date(expires_at).toUTCString(),
    'upload-complete': complete ? '?1' : '?0',
    'upload-limit': `max-size=${maxSize}`,
  }
}
