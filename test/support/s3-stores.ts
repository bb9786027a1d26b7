import type { Test } from 'tap'
import { startS3 } from './s3-server.ts'
import { startVersitygw, WITHOUT_VERSITYGW } from './versitygw.ts'

/** Stores that clients speak to themselves: the test's own, and a real one where it is. */
export const STORES = [
  { name: 'a store of the test', begin: startBucket, skip: false },
  { name: 'versitygw', begin: startVersitygw, skip: WITHOUT_VERSITYGW },
] as const

/** Starts a store of the test's own, and returns the settings for it. */
export async function startBucket(t: Test): Promise<Record<string, string>> {
  const { endpoint, credentials } = await startS3(t)
  return {
    APP_FILES__STORE: 's3',
    APP_FILES__S3__BUCKET: 'bucket',
    APP_FILES__S3__ENDPOINT: endpoint,
    APP_FILES__S3__ACCESS_KEY_ID: credentials.AWS_ACCESS_KEY_ID,
    APP_FILES__S3__SECRET_ACCESS_KEY: credentials.AWS_SECRET_ACCESS_KEY,
  }
}
