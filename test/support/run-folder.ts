import { globSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Folders of test/ that a command of their own runs, file by file. */
export const APART: readonly string[] = ['clients', 'faults', 'scale']

/**
 * Runs the test files below a folder in this process, one after the other, because starting a process and building the
 * first application in it takes two seconds and most files take less than one. Leaves out `*.process.test.ts`, which
 * run by themselves, and folders that have a suite.ts of their own.
 *
 * @param apart folders below it that it leaves out too
 */
export async function runFolder(folder: string, apart: readonly string[] = []): Promise<void> {
  const suites = globSync('*/**/suite.ts', { cwd: folder }).map((file) => dirname(file))
  const exclude = ['**/*.process.test.ts', ...[...suites, ...apart].map((name) => `${name}/**`)]
  for (const file of globSync('**/*.test.ts', { cwd: folder, exclude }).sort())
    await import(join(folder, file))
}
