import type { Recorder } from './occurrence.ts'

/** Writes the event, which waits in the table for its sinks. */
export const outbox: Recorder = {
  insert:
    'INSERT INTO events (id, org_id, type, version, subject_type, subject_id, actor_kind, actor_id, request_id, data, impersonator_id)',
  types: ['uuid', 'uuid', 'text', 'smallint', 'text', 'uuid', 'text', 'uuid', 'text', 'text', 'uuid'],
  valuesOf: ({ id, org, type, version, subject, actor, requestId, client, data }) => [
    id,
    org,
    type,
    version,
    subject.type,
    subject.id,
    actor.kind,
    actor.id,
    requestId,
    JSON.stringify(data),
    client.impersonator ?? null,
  ],
}
