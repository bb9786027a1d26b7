import fp from 'fastify-plugin'
import type { Config } from '#config/schema/schema.ts'
import { LocalStore } from '#lib/object-store/local-store.ts'
import type { ObjectStore } from '#lib/object-store/object-store.ts'
import type { StorageContext } from '#services/storage/storage.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends Pick<StorageContext, 'storage'> {}
}

/** The store of files. */
export default fp(
  async (app) => {
    const { files } = app.config
    const store = await openStore(files)
    app.addContext({
      storage: { store, db: app.db, lifetimeMs: files.upload_lifetime, minSpeed: files.min_speed },
    })
  },
  { name: 'storage', dependencies: ['context'] },
)

async function openStore({ store, directory, s3 }: Config['files']): Promise<ObjectStore | undefined> {
  if (store === 'none') return undefined
  if (store === 'local') return new LocalStore(directory)
  // It is loaded where it is used.
  const { S3Store } = await import('#lib/object-store/s3-store.ts')
  const {
    bucket = '',
    prefix = '',
    access_key_id = '',
    secret_access_key = '',
    endpoint,
    region,
    memory,
  } = s3
  return new S3Store({
    bucket,
    prefix,
    endpoint,
    region,
    memory,
    accessKeyId: access_key_id,
    secretAccessKey: secret_access_key,
  })
}
