import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Mutation, mutationsOf } from './mutations.ts'

/** A mutation of a file, which is named from the project's root. */
export interface Candidate {
  readonly path: string
  readonly mutation: Mutation
}

/** Folders whose lines carry promises. */
export const FOLDERS: readonly string[] = ['services', 'lib', 'plugins', 'process', 'routes']

/**
 * Returns mutants of all files in folders, in an order that depends on the seed alone. As many as are tried from its
 * beginning are a fair sample of all. A change of one file moves the mutants of others up or down, but does not mix
 * them.
 */
export function sampleOf(root: string, folders: readonly string[], seed: string): Candidate[] {
  const files = folders.filter((path) => path.endsWith('.ts'))
  const below = folders.filter((path) => !path.endsWith('.ts')).map((path) => join(path, '**/*.ts'))
  const paths = [...files, ...globSync(below, { cwd: root })].sort()
  return shuffle(
    paths.flatMap((path) =>
      mutationsOf(path, readFileSync(join(root, path), 'utf8')).map((mutation) => ({ path, mutation })),
    ),
    seed,
  )
}

/** Orders candidates by a digest of what they change. */
export function shuffle(candidates: readonly Candidate[], seed: string): Candidate[] {
  const same = new Map<string, number>()
  return candidates
    .map((candidate) => {
      const change = `${seed}\n${candidate.path}\n${candidate.mutation.description}`
      const before = same.get(change) ?? 0
      same.set(change, before + 1)
      return { candidate, rank: createHash('sha256').update(`${change}\n${before}`).digest('hex') }
    })
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ candidate }) => candidate)
}

/** Returns at most so many, evenly over all. */
export function choose<T>(all: readonly T[], max: number): T[] {
  if (all.length <= max) return [...all]
  return Array.from({ length: max }, (_, index) => all[Math.floor((index * all.length) / max)]).filter(
    (item) => item !== undefined,
  )
}
