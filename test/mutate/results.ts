import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Mutation } from './mutations.ts'
import type { Verdict } from './trial.ts'

/** Results for a file's mutants, from this or an earlier run. */
export interface Results {
  find(mutation: Mutation): Verdict | undefined
  keep(mutation: Mutation, verdict: Verdict): void
}

/** Opens what is known of a file with these tests, as their text is now. */
export function openResults(
  root: string,
  { path, tests, fresh }: { path: string; tests: readonly string[]; fresh: boolean },
): Results {
  const folder = join(root, '.data/mutate')
  const digest = createHash('sha256')
  for (const name of [path, ...tests]) digest.update(`${name}\n`).update(readFileSync(join(root, name)))
  const file = join(folder, `${path.replaceAll('/', '-')}.${digest.digest('hex').slice(0, 16)}.jsonl`)
  mkdirSync(folder, { recursive: true })
  if (fresh) rmSync(file, { force: true })
  const verdicts = new Map<string, Verdict>()
  if (existsSync(file)) {
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
      const { key, verdict }: { key: string; verdict: Verdict } = JSON.parse(line)
      verdicts.set(key, verdict)
    }
  }
  return {
    find: (mutation) => verdicts.get(keyOf(mutation)),
    keep(mutation, verdict) {
      verdicts.set(keyOf(mutation), verdict)
      appendFileSync(file, `${JSON.stringify({ key: keyOf(mutation), verdict })}\n`)
    },
  }
}

function keyOf({ start, end, replacement }: Mutation): string {
  return `${start}-${end}:${replacement}`
}
