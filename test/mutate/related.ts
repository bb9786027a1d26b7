import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { APART, sharedFiles, takesLong } from '#test/support/shared-files.ts'

const IMPORT = /\bfrom '([.#][^']+)'/g
/** How far away an importer may be whose tests are run. */
const DISTANCE = 4
/** Most test files by imports; more would take too long for each mutant. */
const MOST = 8
/** Most that have the domain's name, beyond those. */
const MOST_NAMED = 6
/** Most that take long. */
const MOST_SLOW = 2
/** Folders that are not a domain's name. */
const LAYERS = new Set([
  'services',
  'lib',
  'plugins',
  'infrastructure',
  'http',
  'routes',
  'process',
  'api',
  'v1',
])

/** Tests that look at all operations, tables or settings, and do not take long; for what knows operations. */
const HOUSE = [
  'test/contract/document.test.ts',
  'test/contract/house-rules.test.ts',
  'test/contract/routes.test.ts',
  'test/contract/response-contract.test.ts',
  'test/contract/private-parts.test.ts',
  'test/contract/errors.test.ts',
  'test/commands/openapi.test.ts',
  'test/config/settings-read.test.ts',
  'test/tenancy/routes.test.ts',
]

/** Returns the test files that are likely to notice a change of a source file, the nearest first. */
export type FindTests = (path: string) => string[]

/**
 * Reads who imports whom. The tests of a file are those beside its mirrored path, those that import it, and then the
 * same for the files that import it; after these the ones with its domain's name, because what is found by its place
 * is imported by nobody, and those that look at the whole house. Files that take long, or that `npm test` does not
 * run, come last, unless they are all that there is nearby.
 */
export function findTestsIn(root: string): FindTests {
  const sources = globSync(['*.ts', '{commands,config,lib,plugins,process,routes,services}/**/*.ts'], {
    cwd: root,
  })
  const exclude = APART.map((name) => `test/${name}/**`)
  const tests = globSync('test/**/*.test.ts', { cwd: root, exclude }).sort()
  const importers = importersOf(root, [...sources, ...tests])
  const shared = new Set(sharedFiles())
  return (path) => {
    const related = byImports(path, tests, importers)
    const isQuick = (test: string) => shared.has(test) && !takesLong(test)
    const near = related.filter(isQuick)
    const house = /^(lib|process)\//.test(path) ? [] : HOUSE
    const far = [...byName(path, tests), ...house].filter(isQuick)
    const slow = related.filter((test) => !isQuick(test)).slice(0, MOST_SLOW)
    return [...new Set(near.length > 0 ? [...near, ...far, ...slow] : [...slow, ...far])]
  }
}

function byImports(path: string, tests: readonly string[], importers: Map<string, string[]>): string[] {
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
  return [...found].filter((file) => file.endsWith('.test.ts')).slice(0, MOST)
}

/** Tests that are named as a folder of the path, or lie in one; the innermost first. */
function byName(path: string, tests: readonly string[]): string[] {
  const names = dirname(path).split('/').reverse()
  return names
    .filter((name) => !LAYERS.has(name) && !name.startsWith('_'))
    .flatMap((name) => [
      ...tests.filter((test) => basename(test, '.test.ts') === name),
      ...tests.filter((test) => dirname(test).split('/').includes(name)),
    ])
    .slice(0, MOST_NAMED)
}

function importersOf(root: string, files: readonly string[]): Map<string, string[]> {
  const importers = new Map<string, string[]>()
  for (const file of files) {
    for (const [, specifier = ''] of readFileSync(join(root, file), 'utf8').matchAll(IMPORT)) {
      // `#lib/...` counts from the root (package.json, imports).
      const target = specifier.startsWith('#')
        ? specifier.slice(1)
        : relative(root, resolve(root, dirname(file), specifier))
      importers.set(target, [...(importers.get(target) ?? []), file])
    }
  }
  return importers
}

/**
 * Tests of a file: for `services/a/queries.ts` those of test/services/a/; a route's may be a file named as its folder, and
 * those of `server.ts` are in a folder of its name.
 */
function mirrored(file: string, tests: readonly string[]): string[] {
  const name = file.replace(/(\/index)?\.ts$/, '')
  const folder = `test/${file.includes('/') ? dirname(file) : name}`
  const isLayer = file.split('/').length === 2
  const below = isLayer ? [] : tests.filter((test) => dirname(test) === folder)
  return [`test/${name}.test.ts`, ...below].filter((test) => tests.includes(test))
}
