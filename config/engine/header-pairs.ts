import { decoded } from './url-text.ts'

/** Reads `name=value,name=value` with percent-encoded values; undefined where a part is not a header. */
export function readHeaderPairs(text: string): Record<string, string> | undefined {
  const headers: Record<string, string> = {}
  for (const pair of text.replace(/\s*,\s*$/, '').split(',')) {
    const [, name, encoded = ''] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? []
    const value = decoded(encoded)
    if (name === undefined || value === undefined || !/^[\x20-\x7e]+$/.test(value)) return undefined
    headers[name.toLowerCase()] = value
  }
  return headers
}
