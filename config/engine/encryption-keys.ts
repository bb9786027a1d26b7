/** Bytes of a key. */
const KEY_BYTES = 32

/**
 * Reads keys of 32 bytes in base64, separated by commas, spaces or line breaks. Returns undefined when the text is
 * empty, a key is malformed, or a key comes twice.
 */
export function readEncryptionKeys(text: string): Buffer[] | undefined {
  const written = text.split(/[\s,]+/).filter((part) => part !== '')
  const keys = written.map((part) => Buffer.from(part, 'base64'))
  const isProper = keys.every(
    (key, index) => key.length === KEY_BYTES && key.toString('base64') === written[index],
  )
  const isUnique = new Set(written).size === written.length
  return isProper && isUnique && keys.length > 0 ? keys : undefined
}
