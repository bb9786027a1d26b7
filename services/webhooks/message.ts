/** Something that happened, as receivers are told. */
interface Told {
  readonly id: string
  readonly type: string
  readonly version: number
  readonly organization_id: string
  readonly subject: { readonly type: string; readonly id: string }
  /** RFC 3339. */
  readonly occurred_at: string
  /** JSON. */
  readonly data: string
}

/** Largest body, in bytes: Standard Webhooks asks for little. */
const MAX_BODY = 20 * 1024

/** Returns the text of the message about an event. What is too large is left out, and receivers read it by the API. */
export function bodyOf({ id, type, version, organization_id, subject, occurred_at, data }: Told): string {
  const head = { type, timestamp: occurred_at, id, version, organization_id, subject }
  const body = JSON.stringify({ ...head, data: JSON.parse(data) })
  return Buffer.byteLength(body) <= MAX_BODY ? body : JSON.stringify({ ...head, data: null })
}
