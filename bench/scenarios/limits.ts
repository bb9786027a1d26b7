import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LimitResult } from '../baselines/result.ts'
import type { Contestant } from './contestant.ts'

const run = promisify(execFile)

/** The machine's own limit, without a server: a process of bench/baselines that measures itself. */
export function limitContestant(
  name: string,
  program: 'select-limit' | 'insert-limit' | 'argon2-limit',
  args: (seconds: number) => string[],
  databaseUrl = '',
): Contestant {
  return {
    name,
    isOwn: false,
    async measure(seconds) {
      const file = join(import.meta.dirname, '../baselines', `${program}.ts`)
      const env = { PATH: process.env['PATH'], DATABASE_URL: databaseUrl }
      const { stdout } = await run(process.execPath, [file, ...args(seconds)], { env })
      const result: LimitResult = JSON.parse(stdout)
      return {
        requests_per_second: result.requests / result.seconds,
        p50: result.p50,
        p99: result.p99,
        cpu: (result.cpu / result.requests) * 1e6,
        memory: result.memory,
        failed: 0,
      }
    },
  }
}
