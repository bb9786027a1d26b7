/** Characters of a name that are shown. */
const MAX_LENGTH = 60

/**
 * Returns the plain words of a name that a stranger chose: letters, digits, `&`, `'` and `-`, on one line. Mail programs
 * make links of addresses, of domains and of telephone numbers, so no dot, slash, `@` or `:` is left in any of their
 * Unicode forms, and no row of digits; nor what turns the direction of the text, or piles marks on a letter.
 */
export function plainName(name: string): string {
  const words = name
    .normalize('NFKC')
    .replace(/[^\p{L}\p{M}\p{Nd}&'-]+/gu, ' ')
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .replace(/\p{Nd}(?:[ -]*\p{Nd}){5,}/gu, ' ')
    .replace(/ +/g, ' ')
  return Array.from(words.trim()).slice(0, MAX_LENGTH).join('').trim()
}
