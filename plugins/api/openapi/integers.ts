/** Generators of Java, C# and others take an integer without a format for one of 32 bits. */
const MAX_INT32 = 2 ** 31 - 1

/**
 * Adds the format `int64` to every integer that may need more than 32 bits, such as sizes of files. Schemas do not say it
 * themselves: their authors think of bounds, and not of other people's languages.
 *
 * @param value any value of the document, as the reviver of `JSON.parse` has it
 */
export function sizeInteger(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('type' in value)) return value
  const isInteger = [value.type].flat().includes('integer')
  const isSmall = 'maximum' in value && Number(value.maximum) <= MAX_INT32
  return isInteger && !isSmall && !('enum' in value) ? { ...value, format: 'int64' } : value
}
