import { spawnSync } from 'node:child_process'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { startProcess } from './process.ts'

/** Why tests that need moto are skipped; false where it is (pip install 'moto[server]'). */
export const WITHOUT_MOTO: string | false =
  spawnSync('moto_server', ['--help']).status === 0 ? false : 'there is no moto_server'

const BUCKET = 'files'

/** Starts an imitation of AWS with an empty bucket, and returns the settings for it; it ends with `t`. */
export async function startMoto(t: Test): Promise<Record<string, string>> {
  const port = await freePort()
  startProcess(t, 'moto_server', ['-H', '127.0.0.1', '-p', String(port)])
  const endpoint = `http://127.0.0.1:${port}`
  const create = () =>
    fetch(`${endpoint}/${BUCKET}`, { method: 'PUT' }).then(
      ({ ok }) => ok,
      () => false,
    )
  await eventually(create, 60)
  return {
    APP_FILES__STORE: 's3',
    APP_FILES__S3__BUCKET: BUCKET,
    APP_FILES__S3__ENDPOINT: endpoint,
    APP_FILES__S3__ACCESS_KEY_ID: 'AKIDTEST',
    APP_FILES__S3__SECRET_ACCESS_KEY: 'a-secret-of-the-test',
  }
}
