import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apply } from './mutations.ts'
import type { Project } from './project.ts'
import type { Candidate } from './sample.ts'

/** Does work while a copy of the project has mutations in it, which must not touch each other. */
export async function withMutations<T>(
  { directory }: Pick<Project, 'directory'>,
  candidates: readonly Candidate[],
  work: () => Promise<T>,
): Promise<T> {
  const texts = [...Map.groupBy(candidates, ({ path }) => path)].map(([path, those]) => {
    const file = join(directory, path)
    const text = readFileSync(file, 'utf8')
    return { file, text, mutated: apply(text, ...those.map(({ mutation }) => mutation)) }
  })
  for (const { file, mutated } of texts) writeFileSync(file, mutated)
  try {
    return await work()
  } finally {
    for (const { file, text } of texts) writeFileSync(file, text)
  }
}

/** Splits mutants into groups of which all can be in the code at once: no two change the same place. */
export function groupsOf(candidates: readonly Candidate[]): Candidate[][] {
  const groups: Candidate[][] = []
  for (const candidate of candidates) {
    const group = groups.find((others) => !others.some((other) => overlap(candidate, other)))
    if (group === undefined) groups.push([candidate])
    else group.push(candidate)
  }
  return groups
}

function overlap(one: Candidate, other: Candidate): boolean {
  const { start, end } = one.mutation
  return one.path === other.path && start < other.mutation.end && other.mutation.start < end
}
