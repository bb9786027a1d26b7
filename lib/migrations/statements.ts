/** One SQL statement of a script. */
export interface Statement {
  /** From its first word to its end, without the semicolon and the comments before it. */
  readonly text: string
  /** The line of the script on which it begins, from 1. */
  readonly line: number
}

const WORD = 'A-Za-z_\\u0080-\\uffff'
// Its groups are: what is left out, a comment's beginning, a dollar quote, a word, any other character.
const TOKEN = new RegExp(
  [
    '(\\s+|--[^\\n]*)',
    '(/\\*)',
    // A string with escapes, a string, a quoted name: with no end, they take the rest of the script.
    "[eE]'[^'\\\\]*(?:(?:\\\\.|'')[^'\\\\]*)*(?:'|$)",
    "'[^']*(?:''[^']*)*(?:'|$)",
    '"[^"]*(?:""[^"]*)*(?:"|$)',
    `(\\$(?:[${WORD}][${WORD}0-9]*)?\\$)`,
    `([${WORD}][${WORD}0-9$]*)`,
    '(.)',
  ].join('|'),
  'suy',
)
const ROUTINE = /^create (or replace )?(function|procedure) /

/** State of the parser within a statement. */
interface Progress {
  /** Undefined before its first token. */
  start: number | undefined
  end: number
  /** Its first words, in lower case, each with a space after it. */
  words: string
  parentheses: number
  /** How many BEGIN (ATOMIC) and CASE of an SQL-standard routine's body are open. */
  blocks: number
}

/**
 * Splits a script at the semicolons at which psql would: not within strings, names, comments (which nest),
 * dollar quotes, parentheses (rules), or the BEGIN ATOMIC body of a routine.
 */
export function splitStatements(script: string): Statement[] {
  const statements: Statement[] = []
  let progress = nothing()
  const tokens = new RegExp(TOKEN)
  function finish(): void {
    if (progress.start === undefined) return
    const line = script.slice(0, progress.start).split('\n').length
    statements.push({ text: script.slice(progress.start, progress.end), line })
    progress = nothing()
  }
  for (let match = tokens.exec(script); match; match = tokens.exec(script)) {
    const [, space, comment, dollar, word, other] = match
    tokens.lastIndex = tokenEnd(script, tokens.lastIndex, comment, dollar)
    if (space || comment) continue
    if (other === ';' && progress.parentheses <= 0 && progress.blocks === 0) {
      finish()
      continue
    }
    progress.start ??= match.index
    progress.end = tokens.lastIndex
    note(progress, word?.toLowerCase(), other)
  }
  finish()
  return statements
}

function nothing(): Progress {
  return { start: undefined, end: 0, words: '', parentheses: 0, blocks: 0 }
}

/** Where the token ends of which the pattern found the beginning, up to `position`. */
function tokenEnd(
  script: string,
  position: number,
  comment: string | undefined,
  dollar: string | undefined,
): number {
  if (comment) return commentEnd(script, position)
  if (!dollar) return position
  const close = script.indexOf(dollar, position)
  return close < 0 ? script.length : close + dollar.length
}

function commentEnd(script: string, position: number): number {
  const mark = /\/\*|\*\//g
  mark.lastIndex = position
  let depth = 1
  for (let match = mark.exec(script); match; match = mark.exec(script)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return mark.lastIndex
  }
  return script.length
}

function note(progress: Progress, word: string | undefined, other: string | undefined): void {
  if (other === '(') progress.parentheses++
  if (other === ')') progress.parentheses--
  if (!word) return
  if (progress.words.length < 40) progress.words += `${word} `
  if (progress.parentheses > 0 || !ROUTINE.test(progress.words)) return
  if (word === 'begin' || (word === 'case' && progress.blocks > 0)) progress.blocks++
  if (word === 'end' && progress.blocks > 0) progress.blocks--
}
