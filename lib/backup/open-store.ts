import { join } from 'node:path'
import { LocalStore } from '#lib/object-store/local-store.ts'
import type { ObjectStore } from '#lib/object-store/object-store.ts'
import { S3Store as S3Objects } from '#lib/object-store/s3-store.ts'
import { DirectoryStore } from './directory-store.ts'
import { placeIn, type S3Settings, S3Store } from './s3-store.ts'
import type { BackupStore } from './store.ts'

/** `s3://bucket/prefix` is an object store; everything else is a directory. */
export function openStore(place: string, s3: S3Settings): BackupStore {
  return place.startsWith('s3://') ? new S3Store(place, s3) : new DirectoryStore(place)
}

/** Folder of a place of backups in which the contents of files are. All backups share them. */
const CONTENTS = 'files'

/** Bytes of memory for contents of more than 5 GiB, which come in parts. */
const MEMORY = 64 * 1024 * 1024

/** Where a place of backups has the contents of files. */
export function openContents(place: string, s3: S3Settings): ObjectStore {
  if (!place.startsWith('s3://')) return new LocalStore(join(place, CONTENTS))
  const options = placeIn(place, s3)
  return new S3Objects({ ...options, prefix: `${options.prefix}${CONTENTS}/`, memory: MEMORY })
}
