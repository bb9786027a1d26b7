import { globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'

/** Folders of test/ that a command of their own runs, file by file. */
export const APART: readonly string[] = ['clients', 'faults', 'scale']

/**
 * Runs the test files below a folder in this process, one after the other, because starting a process and building the
 * first application in it takes two seconds and most files take less than one. Leaves out `*.process.test.ts`, which
 * run by themselves, and folders that have a suite.ts of their own.
 *
 * @param apart folders below it that it leaves out too
 */
export function runFolder(folder: string, apart: readonly string[] = []): Promise<unknown> {
  const suites = globSync('*/**/suite.ts', { cwd: folder }).map((file) => dirname(file))
  const exclude = ['**/*.process.test.ts', ...[...suites, ...apart].map((name) => `${name}/**`)]
  const files = globSync('**/*.test.ts', { cwd: folder, exclude }).sort()
  // A test of its own, so that no other runs meanwhile: loading keeps the process busy for seconds.
  return t.test('the files can be loaded', async (t) => {
    for (const file of files) await import(join(folder, file))
    t.ok(files.length > 0)
  })
}
