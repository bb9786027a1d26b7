import type { OutboxEvent } from '#services/events/sink.ts'

/** Returns what listeners are told of an event: JSON, as the body of a webhook has it. Who did it is for the audit log. */
export function messageOf(event: OutboxEvent): string {
  const { id, type, version, organization_id, subject, occurred_at, data } = event
  const head = { type, timestamp: occurred_at, id, version, organization_id, subject }
  return `${JSON.stringify(head).slice(0, -1)},"data":${data}}`
}
