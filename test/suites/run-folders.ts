import { globSync } from 'node:fs'
import { join } from 'node:path'

const TEST = join(import.meta.dirname, '..')

/**
 * Runs all test files below these folders of test/ in this process, one after the other: to start a
 * process and to make the first application in it takes two seconds, most files less than one.
 */
export async function runFolders(
  folders: string[],
  { except = [] }: { except?: string[] } = {},
): Promise<void> {
  for (const folder of folders) {
    const files = globSync(`${folder}/**/*.test.ts`, { cwd: TEST, exclude: except })
    for (const file of files.sort()) await import(join(TEST, file))
  }
}
