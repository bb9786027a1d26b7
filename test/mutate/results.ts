import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Mutation } from './mutations.ts'
import type { Outcome } from './trial.ts'

/** Results for a file's mutants, from this or an earlier run. */
export interface Results {
  /** Returns what is known: what a test noticed while that test is the same, and what none of these noticed. */
  find(mutation: Mutation, tests: readonly string[]): Outcome | undefined
  keep(mutation: Mutation, tests: readonly string[], outcome: Outcome): void
}

interface Entry extends Outcome {
  readonly key: string
  /** Digest of the tests that the outcome depends on. */
  readonly digest: string
}

/** Opens what is known, in a folder, of a file as its text is now. */
export function openResults(
  folder: string,
  { root, path, fresh }: { root: string; path: string; fresh: boolean },
): Results {
  const file = join(folder, `${path.replaceAll('/', '-')}.${digestOf(root, [path])}.jsonl`)
  mkdirSync(folder, { recursive: true })
  if (fresh) rmSync(file, { force: true })
  const entries = new Map<string, Entry>()
  if (existsSync(file)) {
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
      const entry: Entry = JSON.parse(line)
      entries.set(entry.key, entry)
    }
  }
  const depends = ({ failed }: Outcome, tests: readonly string[]) => (failed.length > 0 ? failed : tests)
  return {
    find(mutation, tests) {
      const entry = entries.get(keyOf(mutation))
      return entry?.digest === digestOf(root, entry ? depends(entry, tests) : []) ? entry : undefined
    },
    keep(mutation, tests, outcome) {
      const entry = { key: keyOf(mutation), digest: digestOf(root, depends(outcome, tests)), ...outcome }
      entries.set(entry.key, entry)
      appendFileSync(file, `${JSON.stringify(entry)}\n`)
    },
  }
}

function digestOf(root: string, paths: readonly string[]): string {
  const digest = createHash('sha256')
  for (const path of paths) {
    digest.update(`${path}\n`)
    if (existsSync(join(root, path))) digest.update(readFileSync(join(root, path)))
  }
  return digest.digest('hex').slice(0, 16)
}

function keyOf({ start, end, replacement }: Mutation): string {
  return `${start}-${end}:${replacement}`
}
