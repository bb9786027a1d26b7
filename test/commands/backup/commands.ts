import { join } from 'node:path'
import type { Test } from 'tap'
import { environment, startProcess } from '#test/support/process.ts'
import { PROGRAMS_PATH } from './postgres-server.ts'

const COMMANDS = join(import.meta.dirname, '../../../commands')

/** Runs `npm run backup` or `restore` to its end. */
export async function runCommand(
  t: Test,
  name: 'backup' | 'restore',
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const variables = environment({ APP_ENVIRONMENT: 'test', PATH: PROGRAMS_PATH, ...env })
  const child = startProcess(t, process.execPath, [join(COMMANDS, `${name}.ts`), ...args], { env: variables })
  const { code } = await child.exited
  return { code, stdout: child.stdout(), stderr: child.stderr() }
}
