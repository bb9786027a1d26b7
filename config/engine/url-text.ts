/** A percent-encoded part of a URL as text; undefined where it encodes none (UTF-8). */
export function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
