import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const IMPORT = /\bfrom '([.#][^']+)'/g
/** How far away an importer may be whose tests are run. */
const DISTANCE = 4
/** Test files of one source file; more would take too long for each mutant. */
const MOST = 12

/**
 * Returns the test files that are likely to notice a change of a source file, the nearest first: those beside its
 * mirrored path, those that import it, and then the same for the files that import it.
 */
export function relatedTests(path: string): string[] {
  const sources = globSync('{commands,config,lib,plugins,process,routes,services}/**/*.ts', { cwd: ROOT })
  const tests = globSync('test/**/*.test.ts', { cwd: ROOT, exclude: ['test/faults/**', 'test/scale/**'] })
  const importers = importersOf([...sources, ...tests])
  const found = new Set<string>()
  const seen = new Set([path])
  let ring = [path]
  for (let distance = 0; distance < DISTANCE && ring.length > 0; distance++) {
    for (const file of ring) for (const test of mirrored(file, tests)) found.add(test)
    const next = ring.flatMap((file) => importers.get(file) ?? []).filter((file) => !seen.has(file))
    for (const file of next) seen.add(file)
    for (const file of next) if (file.startsWith('test/')) found.add(file)
    ring = [...new Set(next)].filter((file) => !file.startsWith('test/'))
  }
  return [...found].slice(0, MOST)
}

function importersOf(files: readonly string[]): Map<string, string[]> {
  const importers = new Map<string, string[]>()
  for (const file of files) {
    for (const [, specifier = ''] of readFileSync(join(ROOT, file), 'utf8').matchAll(IMPORT)) {
      // `#lib/...` counts from the root (package.json, imports).
      const target = specifier.startsWith('#')
        ? specifier.slice(1)
        : relative(ROOT, resolve(ROOT, dirname(file), specifier))
      importers.set(target, [...(importers.get(target) ?? []), file])
    }
  }
  return importers
}

/** Tests of a file: for `services/a/queries.ts` those of test/services/a/; a route's may be a file named as its folder. */
function mirrored(file: string, tests: readonly string[]): string[] {
  const exact = `test/${file.replace(/(\/index)?\.ts$/, '')}.test.ts`
  const folder = `test/${dirname(file)}`
  const below = folder.split('/').length > 2 ? tests.filter((test) => dirname(test) === folder) : []
  return [exact, ...below].filter((test) => tests.includes(test))
}
