import DataLoader from 'dataloader'

/** Keys that are read by one statement. */
const MAX_KEYS = 1000

/** Reads many values at once; those that there are not are left out. */
export type ManyReader<T> = (keys: readonly string[]) => Promise<ReadonlyMap<string, T>>

/**
 * Makes a reader of single values that reads those that are asked for in one turn of the event loop together. Nothing is
 * kept: a value that is asked for later is read again.
 */
export function readTogether<T>(readMany: ManyReader<T>): (key: string) => Promise<T | undefined> {
  const loader = new DataLoader<string, T | undefined>(
    async (keys) => {
      const found = await readMany([...new Set(keys)])
      return keys.map((key) => found.get(key))
    },
    { cache: false, maxBatchSize: MAX_KEYS },
  )
  return (key) => loader.load(key)
}
