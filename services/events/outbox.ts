import type { Occurrence, Recorder } from './occurrence.ts'

const COLUMNS =
  'id, org_id, type, version, subject_type, subject_id, actor_kind, actor_id, request_id, data, impersonator_id'
const TYPES = ['uuid', 'uuid', 'text', 'smallint', 'text', 'uuid', 'text', 'uuid', 'text', 'text', 'uuid']

function valuesOf(occurrence: Occurrence): unknown[] {
  const { id, org, type, version, subject, actor, requestId, client, data } = occurrence
  const head = [id, org, type, version, subject.type, subject.id, actor.kind, actor.id, requestId]
  return [...head, JSON.stringify(data), client.impersonator ?? null]
}

/** Writes the event, which waits in the table for its sinks. */
export const outbox: Recorder = { insert: `INSERT INTO events (${COLUMNS})`, types: TYPES, valuesOf }

/** Writes an event that one person is told, and that waits for realtime alone: the other sinks have taken it already. */
export const personalOutbox: Recorder = {
  insert: `INSERT INTO events (${COLUMNS}, told_to, fanned_out_at, broker_at)`,
  types: [...TYPES, 'uuid', 'timestamptz', 'timestamptz'],
  valuesOf(occurrence) {
    const writtenAt = new Date()
    return [...valuesOf(occurrence), occurrence.toldTo, writtenAt, writtenAt]
  },
}
