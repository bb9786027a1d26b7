import type { Context } from '#lib/context.ts'
import { defineJob } from '#lib/jobs/jobs.ts'
import * as queries from './queries.ts'
import type { StorageContext } from './storage.ts'

/** Objects that are removed before their rows are. */
const BATCH = 200

/** Removes the bytes of deleted and replaced files, and of uploads that nobody finished. Nothing else removes bytes. */
export const removeObjectsJob = defineJob({
  name: 'remove_objects',
  cron: '*/5 * * * *',
  retryLimit: 2,
  concurrency: 1,
  canRun: ({ storage }: StorageContext) => storage.store !== undefined,
  handler: async ({ db, log, storage: { store } }: Context & StorageContext, _data: object, { signal }) => {
    if (store === undefined) return
    while ((await queries.doomExpired(db, BATCH)) === BATCH) signal.throwIfAborted()
    let removed = 0
    let keys: string[]
    do {
      signal.throwIfAborted()
      keys = await queries.selectRemovable(db, store.kind, BATCH)
      for (const key of keys) await store.remove(key)
      await queries.deleteRemoved(db, keys)
      removed += keys.length
    } while (keys.length === BATCH)
    if (removed > 0) log.info({ objects: removed }, 'removed objects')
  },
})
