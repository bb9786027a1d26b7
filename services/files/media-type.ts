import { fileTypeFromBuffer } from 'file-type'

/** Bytes of the beginning that are looked at. */
export const EXAMINED_BYTES = 4100

/** A character that text does not have. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const CONTROL = /[\0-\x08\x0e-\x1a\x1c-\x1f]/

/**
 * Returns the type of a content by its first bytes; what it was called and what a client says it is count for nothing.
 * Whatever could be markup counts as markup, also where a format that begins otherwise was found.
 */
export async function mediaTypeOf(beginning: Uint8Array): Promise<string> {
  const text = decoded(beginning)
  const markup = text === undefined ? undefined : firstElement(text)
  if (markup !== undefined) return typeOfMarkup(markup, text ?? '')
  const known = await fileTypeFromBuffer(beginning)
  if (known !== undefined) return known.mime
  return text !== undefined && !CONTROL.test(text) ? 'text/plain' : 'application/octet-stream'
}

/** Text in UTF-8 or, with a mark, UTF-16; undefined for what is neither. */
function decoded(bytes: Uint8Array): string | undefined {
  const [first = 0, second = 0] = bytes
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  try {
    // The last character may be cut: a stream leaves it.
    return new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: true })
  } catch {
    return undefined
  }
}

function typeOfMarkup(element: string, text: string): string {
  if (element === 'svg' || (element === '?xml' && /<svg\b/i.test(text))) return 'image/svg+xml'
  return element === '?xml' ? 'application/xml' : 'text/html'
}

/** The name of the first element of a text that begins with markup: `html`, `svg`, `?xml`, or `!--` for a comment without end. */
function firstElement(text: string): string | undefined {
  let rest = text.trimStart()
  while (rest.startsWith('<!--')) {
    const end = rest.indexOf('-->', 4)
    if (end === -1) return '!--'
    rest = rest.slice(end + 3).trimStart()
  }
  return /^<(?:!doctype\s+)?([a-z?!][\w:-]*)/i.exec(rest)?.[1]?.toLowerCase()
}
