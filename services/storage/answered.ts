import { ServiceError } from '#lib/errors.ts'
import { FileStoreUnavailable } from './errors.ts'

/**
 * Waits for the store. Errors that are not ours are the store's.
 *
 * @throws FileStoreUnavailable
 */
export async function answered<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw error instanceof ServiceError ? error : new FileStoreUnavailable({ cause: error, retryAfter: 5 })
  }
}
