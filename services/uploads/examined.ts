import { Examination } from '#services/files/examination.ts'
import { answered } from '#services/storage/answered.ts'
import { type StorageContext, storeOf } from '#services/storage/storage.ts'

/**
 * Looks at all bytes of an object.
 *
 * @throws FileStoreUnavailable, UploadInterrupted, FilesDisabled
 */
export async function examined(ctx: Pick<StorageContext, 'storage'>, key: string): Promise<Examination> {
  const examination = new Examination({
    limit: Number.MAX_SAFE_INTEGER,
    types: undefined,
    reach: () => undefined,
  })
  for await (const _ of examination.watch(await answered(storeOf(ctx).read(key))));
  return examination
}
