import fp from 'fastify-plugin'
import { openObjectStore } from '#lib/object-store/open-object-store.ts'
import type { StorageContext } from '#services/storage/storage.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends Pick<StorageContext, 'storage'> {}
}

/** The store of files. */
export default fp(
  async (app) => {
    const { files } = app.config
    const store = await openObjectStore(files)
    app.addContext({
      storage: { store, db: app.db, lifetimeMs: files.upload_lifetime, minSpeed: files.min_speed },
    })
  },
  { name: 'storage', dependencies: ['context'] },
)
