import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { APART, sharedFiles, takesLong } from '#test/support/shared-files.ts'
import type { Candidate } from './sample.ts'
import { findByWordsIn } from './words.ts'

const IMPORT = /\b(?:from |import\()'([.#][^']+)'/g
/** Helpers of tests that start programs, each of which takes seconds. */
const PROGRAMS = /support\/(chromium|centrifugo|clamd|engines|nats-server|nginx|pgbouncer|versitygw)\.ts/
/** How far away an importer may be whose tests are run. */
const DISTANCE = 4
/** How much nearer a test is that lies in the mirrored folder. */
const BESIDE = 2
/** Most test files that each mutant is tried with; the others are tried with many mutants together. */
const MOST = { byNearness: 8, byWords: 6 }
/** Most that `npm test` does not run; where no other is near, as for what starts processes, they are all there is. */
const MOST_FAR = { beside: 2, alone: 12 }
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

/** Tests that look at all operations, and do not take long; for what declares them. */
const HOUSE = [
  'test/commands/openapi.test.ts',
  'test/contract/document.test.ts',
  'test/contract/house-rules.test.ts',
  'test/contract/route-settings.test.ts',
  'test/contract/routes.test.ts',
]

/** The test that reads what plugins need of each other. */
const NEEDS = 'test/modules.test.ts'

/** The test files that are likely to notice a mutant, the nearest first. */
export interface Tests {
  /** Quick ones of `npm test`. */
  readonly near: readonly string[]
  /** Those that `npm test` does not run, because they start processes. */
  readonly far: readonly string[]
}

export type FindTests = (candidate: Candidate) => Tests

/**
 * Reads who imports whom. The nearest test of a file has its name and those of its folders, or imports it, or is beside
 * the path of one that imports it; names count because what is found by its place is imported by nobody. After the very
 * nearest come those that speak of the same, and at last those that look at all operations. Files that take long are left
 * out, but for the very nearest.
 */
export function findTestsIn(root: string): FindTests {
  const sources = globSync(['*.ts', '{commands,config,lib,plugins,process,routes,services}/**/*.ts'], {
    cwd: root,
  })
  const exclude = APART.map((name) => `test/${name}/**`)
  const tests = globSync('test/**/*.test.ts', { cwd: root, exclude }).sort()
  const importers = importersOf(root, [...sources, ...tests])
  const shared = new Set(sharedFiles())
  const isQuick = (test: string) => !takesLong(test) && !PROGRAMS.test(readFileSync(join(root, test), 'utf8'))
  const findByWords = findByWordsIn(
    root,
    tests.filter((test) => shared.has(test) && isQuick(test)),
  )
  return ({ path, mutation }) => {
    const related = byNearness(path, tests, importers)
    const ours = related.filter((test) => shared.has(test))
    const quick = ours.filter(isQuick).slice(0, MOST.byNearness)
    const house = path.startsWith('routes/') ? HOUSE : path.startsWith('plugins/') ? [NEEDS] : []
    const speaking = findByWords(path, mutation.line, MOST.byWords)
    const near = [...new Set([...ours.slice(0, 1), ...speaking, ...quick, ...house])]
    const others = related.filter((test) => !shared.has(test))
    return { near, far: others.slice(0, quick.length > 0 ? MOST_FAR.beside : MOST_FAR.alone) }
  }
}

function byNearness(path: string, tests: readonly string[], importers: Map<string, string[]>): string[] {
  const distances = byImports(path, tests, importers)
  const nearness = (test: string) =>
    likeness(path, test) +
    (DISTANCE - (distances.get(test) ?? DISTANCE)) +
    (dirname(test) === `test/${dirname(path)}` ? BESIDE : 0)
  return tests
    .map((test) => ({ test, near: nearness(test) }))
    .filter(({ near }) => near > 0)
    .sort((a, b) => b.near - a.near)
    .map(({ test }) => test)
}

/** How many names two paths share; those of folders count twice. */
function likeness(path: string, test: string): number {
  const others = new Set(test.replace(/(\.process)?\.test\.ts$/, '').split('/'))
  const shared = (names: readonly string[]) => names.filter((name) => !LAYERS.has(name) && others.has(name))
  const [file = '', ...folders] = path.replace('.ts', '').split('/').reverse()
  return 2 * shared(folders).length + shared([file]).length
}

/** How far each test is by imports; the file's own tests are at 0. */
function byImports(
  path: string,
  tests: readonly string[],
  importers: Map<string, string[]>,
): Map<string, number> {
  const found = new Map<string, number>()
  const seen = new Set([path])
  let ring = [path]
  for (let distance = 0; distance < DISTANCE && ring.length > 0; distance++) {
    const next = ring.flatMap((file) => importers.get(file) ?? []).filter((file) => !seen.has(file))
    const beside = ring.flatMap((file) => mirrored(file, tests))
    for (const test of [...beside, ...next]) {
      if (test.endsWith('.test.ts') && !found.has(test)) found.set(test, distance)
    }
    for (const file of next) seen.add(file)
    ring = [...new Set(next)].filter((file) => !file.startsWith('test/'))
  }
  return found
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
 * Tests beside the mirrored path of a file, without the parameters of a route, and those that are named as a folder around
 * it; for `server.ts` those in its folder.
 */
function mirrored(file: string, tests: readonly string[]): string[] {
  const parts = file.replace(/(\/index)?\.ts$/, '').split('/')
  const names = parts.filter((part) => !part.startsWith('_'))
  const paths = names.map((_, index) => `test/${names.slice(0, index + 1).join('/')}`)
  return tests.filter(
    (test) => paths.includes(test.replace('.test.ts', '')) || dirname(test) === paths.at(-1),
  )
}
