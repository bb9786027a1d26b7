import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { startProcess } from './process.ts'

/** Why tests that need versitygw are skipped; false where it is. */
export const WITHOUT_VERSITYGW: string | false =
  spawnSync('versitygw', ['--version']).status === 0 ? false : 'there is no versitygw'

const BUCKET = 'files'
const [ID, SECRET] = ['AKIDTEST', 'a-secret-of-the-test']

/** Starts a real S3 server of a test's own, with an empty bucket, and returns the settings for it; it ends with `t`. */
export async function startVersitygw(t: Test): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'versitygw-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, BUCKET))
  const place = `127.0.0.1:${await freePort()}`
  startProcess(t, 'versitygw', ['--access', ID, '--secret', SECRET, '--port', place, 'posix', folder])
  const isThere = () => fetch(`http://${place}`).then(Boolean, () => false)
  await eventually(isThere, 60)
  return {
    APP_FILES__STORE: 's3',
    APP_FILES__S3__BUCKET: BUCKET,
    APP_FILES__S3__ENDPOINT: `http://${place}`,
    APP_FILES__S3__ACCESS_KEY_ID: ID,
    APP_FILES__S3__SECRET_ACCESS_KEY: SECRET,
  }
}
