import type { Upload } from '#schemas/uploads.ts'
import { UploadNotFound } from './errors.ts'
import type { UploadRow } from './queries.ts'

/** An upload as clients see it, with what they gave it to read again. */
export interface UploadState extends Upload {
  readonly metadata: string | null
}

export function uploadOf(
  { id, key, length, metadata, created_at, expires_at }: UploadRow,
  offset: number,
): UploadState {
  const total = length === null ? null : Number(length)
  return { id, offset, length: total, complete: key === null, created_at, expires_at, metadata }
}

export function present<T>(row: T | undefined): T {
  if (row === undefined) throw new UploadNotFound()
  return row
}
