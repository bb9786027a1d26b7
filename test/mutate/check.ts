import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { withMutations } from './mutated.ts'
import type { Project } from './project.ts'
import type { Candidate } from './sample.ts'

/** Rule for promises that nobody waits for; others judge how a line is written, which says nothing of a mutant. */
const RULE = 'nursery/noFloatingPromises'
/** The types of a file are looked at again when it, or what it imports, has changed. */
const TSC = ['--incremental', '--tsBuildInfoFile', '.data/tsbuildinfo']

/**
 * Returns those mutants that the types or the linter refuse. Most pass, so they are shown together, and then by halves.
 */
export async function refusedOf(
  project: Project,
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<Candidate[]> {
  if (candidates.length === 0 || (await passCheck(project, candidates, signal))) return []
  if (candidates.length === 1) return signal.aborted ? [] : [...candidates]
  const middle = Math.ceil(candidates.length / 2)
  const [former, latter] = [candidates.slice(0, middle), candidates.slice(middle)]
  return [...(await refusedOf(project, former, signal)), ...(await refusedOf(project, latter, signal))]
}

/** Whether the types and the linter accept mutants that are in the code at once. */
export function passCheck(
  project: Project,
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<boolean> {
  const passes = (program: string, ...args: string[]) =>
    new Promise<boolean>((resolve) => {
      const file = join(project.directory, 'node_modules/.bin', program)
      execFile(file, args, { cwd: project.directory, signal }, (error) => resolve(error === null))
    })
  const paths = [...new Set(candidates.map(({ path }) => path))]
  return withMutations(
    project,
    candidates,
    async () =>
      (paths.length === 0 || (await passes('biome', 'lint', `--only=${RULE}`, ...paths))) &&
      (await passes('tsc', ...TSC)),
  )
}
