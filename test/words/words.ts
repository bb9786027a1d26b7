/** A word or turn of phrase that our English does without. */
export interface Word {
  /** Case does not matter. */
  readonly pattern: RegExp
  readonly instead: string
}

const WORDS: readonly Word[] = [
  {
    pattern: /\/\*\* (of|what|gives?)\b/,
    instead: 'a noun or a verb: "Options of ...", "Milliseconds since ...", "Returns ..."',
  },
  { pattern: /\bgives\b/, instead: 'returns, provides, produces, leads to' },
  { pattern: /\banew\b/, instead: 'again' },
  { pattern: /\bonce more\b/, instead: 'again' },
  { pattern: /\bmend(s|ed|ing)?\b/, instead: 'fix' },
  { pattern: /\bwhoever\b/, instead: 'the caller, the client, anyone who' },
  { pattern: /\bwho may pass\b/, instead: 'identity, authorization' },
  { pattern: /\bdear(er|est)?\b/, instead: 'expensive' },
  { pattern: /\bc[ao]mes? to be\b/, instead: 'is created, becomes' },
  { pattern: /\b(borne|bearable)\b/, instead: 'allowed, accepted, acceptable' },
  { pattern: /\bheld (to|against)\b/, instead: 'checked against, compared with, must follow' },
  { pattern: /\bholds? \S+ against\b/, instead: 'checks against, compares with' },
  { pattern: /\bin force\b/, instead: 'effective, current' },
  {
    pattern: /(?<!\bthere )\b(is|are|was|were|be|been) none\b/,
    instead: 'is not a ..., is invalid, is missing',
  },
  {
    pattern: /(?<!\bthere )\b(is|are|was|were) no (?!longer\b|(more|less|later) than\b)/,
    instead: 'is not a ...',
  },
  { pattern: /, for (it|they|that|this|there|nobody|each|all|those|these) /, instead: 'because' },
]

/** Places where a word is right: part of a path, and text there. */
export const EXCEPTIONS: readonly { readonly path: string; readonly text: RegExp }[] = [
  // To give up, way or back.
  { path: '', text: /\bgives (up|way|back)\b/ },
]

/** A place where a word stands that we do without. */
export interface Finding {
  readonly line: number
  readonly word: string
  readonly instead: string
}

/** The beginning of a comment's line, which stands within a phrase that goes on there. */
const CONTINUATION = /^\s*(?:\*(?!\/)|\/\/|#|--|>)?\s*/

/** Finds words in a file, also phrases that are broken at the end of a line. */
export function findWords(path: string, text: string): Finding[] {
  const lines = text.split('\n')
  return lines.flatMap((line, index) => {
    const next = (lines[index + 1] ?? '').replace(CONTINUATION, ' ')
    const start = line === line.trimEnd() ? line : line.trimEnd()
    const phrase = start + next
    return WORDS.flatMap(({ pattern, instead }) => {
      const match = new RegExp(pattern, 'i').exec(phrase)
      if (match === null || match.index >= start.length) return []
      if (EXCEPTIONS.some((each) => path.includes(each.path) && each.text.test(phrase))) return []
      return [{ line: index + 1, word: match[0], instead }]
    })
  })
}
