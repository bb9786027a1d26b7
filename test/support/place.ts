import { readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { QUEUE } from './shared-files.ts'

const ROOT = join(import.meta.dirname, '../..')

/**
 * Runs test files in this process, one after the other, because starting a process and building the first application in
 * it takes seconds and most files take less than one. Each is the next that no other place of this run has taken, so all
 * places end at about the same time. Each file begins with a test of its name, in which it is loaded.
 */
export function runPlace(): void {
  const folder = process.env[QUEUE]
  if (folder === undefined) throw new Error('a place is run by `npm test`, which says which files there are')
  runNext(folder)
}

function runNext(folder: string): void {
  const file = takeNext(folder)
  if (file === undefined) return
  // A test of its own, so that no other runs meanwhile: loading keeps the process busy.
  t.test(file, async (t) => {
    try {
      await import(join(ROOT, file))
      t.pass('is loaded')
    } finally {
      // Comes after the tests of the file.
      runNext(folder)
    }
  })
}

/** Returns the next file, which is this process's because only one can remove its entry. */
function takeNext(folder: string): string | undefined {
  for (const entry of readdirSync(folder).sort()) {
    try {
      unlinkSync(join(folder, entry))
      const [, file = ''] = entry.split(' ')
      return decodeURIComponent(file)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  }
  return undefined
}
