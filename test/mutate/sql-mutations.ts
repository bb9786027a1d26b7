/** A change of a statement; places are counted from its first character. */
export interface SqlMutation {
  readonly start: number
  readonly end: number
  readonly replacement: string
}

/** Patterns in statements and scripts, and their replacements. */
const RULES: readonly (readonly [RegExp, (found: string) => string])[] = [
  [/(?<=\s)(<=|>=|<|>)(?=\s)/g, (found) => (found.length === 2 ? found.slice(0, 1) : `${found}=`)],
  [/\bgreatest\b/g, () => 'least'],
  [/\bleast\b/g, () => 'greatest'],
  [/math\.max/g, () => 'math.min'],
  [/math\.min/g, () => 'math.max'],
  [/\s\+\s/g, () => ' - '],
  [/\s-\s/g, () => ' + '],
  [/\bIS NOT NULL\b/g, () => 'IS NULL'],
  [/\bIS NULL\b/g, () => 'IS NOT NULL'],
  [/\bIS NOT DISTINCT FROM\b/g, () => 'IS DISTINCT FROM'],
  [/\bDESC\b/g, () => 'ASC'],
  [/\bFOR (NO KEY )?UPDATE( OF \w+)?( SKIP LOCKED)?/g, () => ''],
  // One condition of several, up to the next.
  [/\bAND (?!\$\{)[^\n()`]+?(?=\s+(?:AND|OR|RETURNING|ORDER|LIMIT|FOR)\b|\s*[\n`])/g, () => ''],
  [/\bTHEN (\S+) ELSE ([\w.]+)/g, (found) => found.replace(/THEN (\S+) ELSE (\S+)/, 'THEN $2 ELSE $1')],
  [/(?<=[\s(])\d+(?=[\s,)])/g, (found) => String(Number(found) + 1)],
]

/** Returns small changes of a statement of SQL, or a script of Redis. */
export function sqlMutations(sql: string): SqlMutation[] {
  return RULES.flatMap(([pattern, replacement]) =>
    Array.from(sql.matchAll(pattern), ({ 0: found, index }) => ({
      start: index,
      end: index + found.length,
      replacement: replacement(found),
    })),
  )
}
