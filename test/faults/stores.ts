import type { Test } from 'tap'
import { startVersitygw, WITHOUT_VERSITYGW } from '#test/support/versitygw.ts'

/** A store of files that instances of a test share. */
export interface SharedStore {
  readonly name: string
  /** Why tests that need it are skipped; false where it is. */
  readonly skip: string | false
  /** Starts it for a test, and returns the settings for it. */
  start(t: Test): Promise<Record<string, string>>
}

export const STORES: readonly SharedStore[] = [
  { name: 'local', skip: false, start: async (t) => ({ APP_FILES__DIRECTORY: t.testdir({}) }) },
  { name: 's3', skip: WITHOUT_VERSITYGW, start: startVersitygw },
]

/** Settings of instances that share a database and a store, and remove nothing by themselves. */
export const settingsOf = (db: { url: string }, store: Record<string, string>): Record<string, string> => ({
  APP_DATABASE__URL: db.url,
  APP_FILES__QUOTA_PER_USER: '1024GiB',
  APP_JWT__EXPIRES_IN: '1d',
  APP_RATE_LIMIT__ENABLED: 'false',
  APP_ROLE: 'web',
  ...store,
})
