const ESCAPED_MEMBER = /\\[[\]\\^.-]/
/** One character of a class, or the dash of a range. `[`, `&&` and `--` mean something else to some engines. */
const MEMBER = new RegExp(
  `(?:[ !"#%',./0-9:;<=>?@A-Z_\`a-z{|}()*+$~]|&(?!&)|-(?!-)|${ESCAPED_MEMBER.source})`,
)
const CLASS = new RegExp(`\\[\\^?${MEMBER.source}+\\]`)
/** One character outside of classes. */
const CHARACTER = /[ !"#%&',\-/0-9:;<=>@A-Z_`a-z~]|\\[.*+?^$|(){}[\]\\/]/
const GROUP = /\((?:\?:|(?!\?))|\)|\|/
/** RE2 counts to 1000. */
const QUANTIFIER = /(?:[*+?]|\{\d{1,3}(?:,\d{0,3})?\})\??(?![*+?{])/
const TOKEN = new RegExp(
  [CLASS, CHARACTER, GROUP, QUANTIFIER].map(({ source }) => `(?:${source})`).join('|'),
  'gy',
)

/**
 * Whether a regular expression is anchored at both ends and made only of what ECMAScript, Go, Python, Java and .NET
 * read alike: ASCII, classes written out, groups without a name, alternatives, and quantifiers.
 */
export function isPortable(pattern: string): boolean {
  const inside = /^\^(.*)\$$/s.exec(pattern)?.[1]
  if (inside === undefined || !isRegExp(pattern)) return false
  return inside.replace(TOKEN, '') === '' && !hasBareAlternative(inside)
}

/** Whether a `|` is outside of every group, so that `^` belongs to one side and `$` to the other. */
function hasBareAlternative(expression: string): boolean {
  let rest = expression.replace(/\\.|\[(?:\\.|[^\]])*\]/g, 'a')
  for (let before = ''; before !== rest; ) {
    before = rest
    rest = rest.replace(/\([^()]*\)/g, '')
  }
  return rest.includes('|')
}

function isRegExp(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp
  } catch {
    return false
  }
}
