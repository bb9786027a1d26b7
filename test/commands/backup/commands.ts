import { join } from 'node:path'
import type { Test } from 'tap'
import * as inProcess from '#test/support/command.ts'
import { environment, startProcess } from '#test/support/process.ts'
import { PROGRAMS_PATH } from './postgres-server.ts'

const COMMANDS = join(import.meta.dirname, '../../../commands')

type Name = 'backup' | 'restore' | 'files'

/** Runs `npm run backup`, `restore` or `files` to its end. */
export function runCommand(
  name: Name,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<inProcess.CommandResult> {
  return inProcess.runCommand(name, args, { env: { PATH: PROGRAMS_PATH, ...env } })
}

/** The same as a process of its own, beside what this process does. */
export async function runProcess(t: Test, name: Name, args: readonly string[], env: Record<string, string>) {
  const variables = environment({ APP_ENVIRONMENT: 'test', PATH: PROGRAMS_PATH, ...env })
  const child = startProcess(t, process.execPath, [join(COMMANDS, `${name}.ts`), ...args], { env: variables })
  const { code } = await child.exited
  return { code, stdout: child.stdout(), stderr: child.stderr() }
}
