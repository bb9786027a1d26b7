import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Mutation } from './mutations.ts'
import type { Outcome } from './trial.ts'

/** Results for a file's mutants, from this or an earlier run. */
export interface Results {
  /** Returns what is known: what one of these tests noticed while that is the same, and what none of them noticed. */
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
  const entries: Entry[] = []
  if (existsSync(file)) {
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) entries.push(JSON.parse(line))
  }
  const depends = ({ failed }: Outcome, tests: readonly string[]) => (failed.length > 0 ? failed : tests)
  return {
    find(mutation, tests) {
      const key = keyOf(mutation)
      return entries.findLast(
        (entry) =>
          entry.key === key &&
          entry.failed.every((test) => tests.includes(test)) &&
          entry.digest === digestOf(root, depends(entry, tests)),
      )
    },
    keep(mutation, tests, outcome) {
      const entry = { key: keyOf(mutation), digest: digestOf(root, depends(outcome, tests)), ...outcome }
      entries.push(entry)
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
