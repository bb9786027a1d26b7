/** Edits beyond which two names are not taken for one another. */
const MOST_EDITS = 3

/** The candidate that a mistyped name most likely stands for, if any is close. */
export function closest(name: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: countEdits(name.toUpperCase(), candidate.toUpperCase()) }))
    .filter(({ edits }) => edits <= MOST_EDITS)
    .sort((a, b) => a.edits - b.edits)
  return ranked[0]?.candidate
}

/** Levenshtein's distance: insertions, deletions and replacements from one text to the other. */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  let edits = to.length
  for (const [i, character] of [...from].entries()) {
    let diagonal = i
    row = row.map((above, j) => {
      const replaced = diagonal + (character === to[j - 1] ? 0 : 1)
      diagonal = above
      edits = j === 0 ? i + 1 : Math.min(replaced, above + 1, edits + 1)
      return edits
    })
  }
  return edits
}
