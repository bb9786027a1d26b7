import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Test } from 'tap'

/** Starts a process that only works on jobs, and that ends with `t`. It is not waited for. */
export function startWorker(t: Test, env: Record<string, string>): ChildProcess {
  const root = join(import.meta.dirname, '../..')
  const child = spawn(process.execPath, [join(root, 'server.ts')], {
    stdio: 'ignore',
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      APP_ENVIRONMENT: 'test',
      APP_ROLE: 'worker',
      APP_SERVER__PORT: '0',
      APP_DATABASE__MIGRATE_ON_START: 'false',
      ...env,
    },
  })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}
