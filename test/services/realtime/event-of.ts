import { v7 as uuidv7 } from 'uuid'
import type { OutboxEvent } from '#services/events/sink.ts'

/** An event of a test, as it waits in the outbox. */
export function eventOf({
  data = {},
  ...rest
}: Partial<Omit<OutboxEvent, 'data'>> & { readonly data?: object }): OutboxEvent {
  return {
    id: uuidv7(),
    organization_id: null,
    type: 'projects.created',
    version: 1,
    subject: { type: 'project', id: uuidv7() },
    actor: { kind: 'user', id: uuidv7() },
    request_id: null,
    impersonator_id: null,
    told_to: null,
    occurred_at: '2026-01-31T08:15:30.123Z',
    data: JSON.stringify(data),
    ...rest,
  }
}
