import { DirectoryStore } from './directory-store.ts'
import { type S3Settings, S3Store } from './s3-store.ts'
import type { BackupStore } from './store.ts'

/** `s3://bucket/prefix` is an object store; everything else is a directory. */
export function openStore(place: string, s3: S3Settings): BackupStore {
  return place.startsWith('s3://') ? new S3Store(place, s3) : new DirectoryStore(place)
}
