import type { Config } from '#config/schema/schema.ts'
import { LocalStore } from './local-store.ts'
import type { ObjectStore } from './object-store.ts'

/** Makes the store that is configured; undefined for `none`. Nothing is connected to. */
export async function openObjectStore({
  store,
  directory,
  accel_prefix,
  s3,
}: Config['files']): Promise<ObjectStore | undefined> {
  if (store === 'none') return undefined
  if (store === 'local') return new LocalStore(directory, accel_prefix)
  // It is loaded where it is used.
  const { S3Store } = await import('./s3-store.ts')
  const { bucket = '', prefix = '', access_key_id = '', secret_access_key = '', ...others } = s3
  const { public_endpoint, download, ...place } = others
  return new S3Store({
    ...place,
    publicEndpoint: public_endpoint,
    redirects: download === 'redirect',
    bucket,
    prefix,
    accessKeyId: access_key_id,
    secretAccessKey: secret_access_key,
  })
}
