import { globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** Variable that names the folder with the files that are to run. */
export const QUEUE = 'GROUNDWORK_TEST_QUEUE'

/** Folders of test/ that a command of their own runs, file by file. */
export const APART: readonly string[] = ['clients', 'faults', 'scale']

/** A file that begins with it is among the first, so that the others fill the time until it ends. */
const FIRST = '// Among the first,'

/**
 * The test files in folders of the project that share processes with others, in the order in which they begin: all but
 * `*.process.test.ts`, which run by themselves, and those of the folders that are apart.
 */
export function sharedFiles(folders: readonly string[] = ['test']): string[] {
  const exclude = ['**/*.process.test.ts', ...APART.map((name) => `test/${name}/**`)]
  const patterns = folders.map((folder) => join(folder, '**/*.test.ts'))
  return inOrder(globSync(patterns, { cwd: ROOT, exclude }))
}

/** The test files that start processes, in the order in which they begin. */
export function processFiles(): string[] {
  return inOrder(globSync('test/**/*.process.test.ts', { cwd: ROOT }))
}

/** By name, but those first that say so. */
function inOrder(files: readonly string[]): string[] {
  const sorted = files.toSorted()
  return [...sorted.filter(takesLong), ...sorted.filter((file) => !takesLong(file))]
}

/** Whether a test file says that it takes longer than the others. */
export function takesLong(file: string): boolean {
  return readFileSync(join(ROOT, file), 'utf8').startsWith(FIRST)
}

/** Makes a folder in the parent that has an entry for each file, in their order. Who removes an entry runs its file. */
export function createQueue(files: readonly string[], parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, 'groundwork-tests-'))
  for (const [index, file] of files.entries())
    writeFileSync(join(folder, `${String(index).padStart(5, '0')} ${encodeURIComponent(file)}`), '')
  return folder
}
