import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Project } from './project.ts'

/** Rule for promises that nobody waits for; others judge how a line is written, which says nothing of a mutant. */
const RULE = 'nursery/noFloatingPromises'

/** Whether the types and the linter accept a copy of the project; `path` is the file that was changed. */
export async function passesCheck(project: Project, path: string, signal: AbortSignal): Promise<boolean> {
  const passes = (program: string, ...args: string[]) =>
    new Promise<boolean>((resolve) => {
      const file = join(project.directory, 'node_modules/.bin', program)
      execFile(file, args, { cwd: project.directory, signal }, (error) => resolve(error === null))
    })
  return (await passes('biome', 'lint', `--only=${RULE}`, path)) && (await passes('tsc'))
}
