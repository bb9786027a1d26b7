import type { Answer, StoredAnswer } from './queries.ts'

/** A path, and an entity tag (RFC 9110 section 8.8.3): nothing that would end a header or lead elsewhere. */
const LOCATION = /^\/(?!\/)[!-~]*$/
const ETAG = /^(?:W\/)?"[!#-~]*"$/

/** Returns what `updateAnswer` wrote; undefined when the row holds anything that it does not write. */
export function readAnswer({ status, location, etag, body }: StoredAnswer): Answer | undefined {
  const isSuccess = status !== null && status >= 200 && status <= 299
  const isLocated = location === null || LOCATION.test(location)
  const isTagged = etag === null || ETAG.test(etag)
  if (!isSuccess || !isLocated || !isTagged || body === null || !isJson(body)) return undefined
  return { status, location, etag, body }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
