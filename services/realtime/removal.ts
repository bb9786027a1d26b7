import { memberRemoved } from '#services/members/events.ts'
import type { Message } from './message.ts'

/** How a message about a removed member begins (`messageOf`), so that no other has to be parsed. */
const BEGINNING = `{"type":"${memberRemoved.type}",`

/** Somebody who was removed from an organization, or has left it. */
interface Removal {
  readonly user: string
  /** When it happened, in milliseconds since 1970. */
  readonly at: number
}

/** Returns who was removed, if that is what a message tells. */
export function removalIn({ data }: Pick<Message, 'data'>): Removal | undefined {
  if (!data.startsWith(BEGINNING)) return undefined
  const { subject, timestamp }: { subject: { id: string }; timestamp: string } = JSON.parse(data)
  return { user: subject.id, at: Date.parse(timestamp) }
}
