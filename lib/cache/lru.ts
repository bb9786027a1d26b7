import { LRUCache } from 'lru-cache'

/**
 * Makes a cache of so many entries at most, the least recently used of which goes first. lru-cache would allocate room for
 * all of them at once when told of a `max`: some milliseconds and megabytes of a start for each cache of tens of
 * thousands. One that counts sizes grows with what it holds, and answers as fast.
 */
export function createLru<V extends object | string | true>(
  maxEntries: number,
  options: Pick<LRUCache.OptionsMaxLimit<string, V, unknown>, 'dispose' | 'ttl'> = {},
): LRUCache<string, V> {
  return new LRUCache({ ...options, maxSize: maxEntries, sizeCalculation: () => 1 })
}
