import { globSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Runs the test files below a folder in this process, one after the other, because starting a process and building the
 * first application in it takes two seconds and most files take less than one. Leaves out `*.process.test.ts`, which
 * run by themselves, and folders that have a suite.ts of their own.
 */
export async function runFolder(folder: string): Promise<void> {
  const suites = globSync('*/**/suite.ts', { cwd: folder })
  const exclude = ['**/*.process.test.ts', ...suites.map((file) => `${dirname(file)}/**`)]
  for (const file of globSync('**/*.test.ts', { cwd: folder, exclude }).sort())
    await import(join(folder, file))
}
