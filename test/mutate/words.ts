import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Characters of the shortest word that says something. */
const SHORTEST = 4
/** Lines around a mutation whose words count. */
const AROUND = 3

/** Returns the test files, of those that it was made for, that speak most of what stands around a line of a file. */
export type FindByWords = (path: string, line: number, most: number) => string[]

/**
 * Reads the words of tests. Tests far from a file by name and imports, as those that send requests, are found by what
 * they speak of; a word counts the more, the fewer tests have it.
 */
export function findByWordsIn(root: string, tests: readonly string[]): FindByWords {
  const words = new Map(
    tests.map((test) => [test, wordsOf(`${test} ${readFileSync(join(root, test), 'utf8')}`)]),
  )
  const counts = new Map<string, number>()
  for (const all of words.values()) for (const word of all) counts.set(word, (counts.get(word) ?? 0) + 1)
  const weightOf = (word: string) => Math.log(tests.length / (counts.get(word) ?? tests.length))
  return (path, line, most) => {
    const lines = readFileSync(join(root, path), 'utf8').split('\n')
    const around = wordsOf(lines.slice(Math.max(0, line - 1 - AROUND), line + AROUND).join('\n'))
    const score = (test: string) =>
      [...around].reduce((sum, word) => sum + (words.get(test)?.has(word) ? weightOf(word) : 0), 0)
    return tests
      .map((test) => ({ test, score: score(test) }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score)
      .slice(0, most)
      .map(({ test }) => test)
  }
}

/** The parts of names and of sentences, in lower case: `impersonatorId` speaks of `impersonator`. */
function wordsOf(text: string): Set<string> {
  const parts = text.replaceAll(/([a-z])([A-Z])/g, '$1 $2').matchAll(/[A-Za-z]+/g)
  return new Set([...parts].map(([word]) => word.toLowerCase()).filter((word) => word.length >= SHORTEST))
}
