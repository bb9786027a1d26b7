import type { Beginning } from './history.ts'
import type { Returning } from './protocol.ts'

/** Returns what tells a subscription's beginning. A client that returns counts on from where it was. */
export function subscribed({ recover = false, offset = 0 }: Returning, beginning: Beginning): object {
  const { epoch, recovered, missed } = beginning
  const place = { epoch, offset: recovered ? offset : beginning.offset, recoverable: true, positioned: true }
  if (!recover) return place
  const publications = missed.map((message) => ({ data: JSON.parse(message.data), offset: message.offset }))
  return { ...place, was_recovering: true, recovered, publications }
}
