import fp from 'fastify-plugin'
import { openObjectStore } from '#lib/object-store/open-object-store.ts'
import { stopAppending } from '#services/storage/appending.ts'
import { type StorageContext, storageOf } from '#services/storage/storage.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends Pick<StorageContext, 'storage'> {}
}

/** Milliseconds after which the space of an upload is free whose process is gone. */
const LEASE_MS = 10 * 60_000

/** The store of files. */
export default fp(
  async (app) => {
    // Uploads go on at another instance.
    app.addHook('preClose', async () => stopAppending(app.ctx))
    const store = await openObjectStore(app.config.files)
    app.addContext({ storage: storageOf({ store, db: app.db, leaseMs: LEASE_MS }) })
  },
  { name: 'storage', dependencies: ['context', 'database'] },
)
