import type { OutboxEvent } from '#services/events/sink.ts'

/**
 * An event as consumers get it: CloudEvents 1.0, in JSON. What is not of the standard are extension attributes, which are
 * left out where there is no value.
 */
export interface CloudEvent {
  readonly specversion: '1.0'
  /** UUIDv7; the same whenever the event comes again. */
  readonly id: string
  /** URL of the service that it happened in. */
  readonly source: string
  /** Domain and what happened, such as `projects.created`. */
  readonly type: string
  /** Kind and id of what it happened to, such as `project/01997d1c-...`. */
  readonly subject: string
  /** RFC 3339. */
  readonly time: string
  readonly datacontenttype: 'application/json'
  /** Counts from 1: the form of `data`. */
  readonly typeversion: number
  readonly actorkind: OutboxEvent['actor']['kind']
  readonly actorid?: string
  readonly organizationid?: string
  readonly requestid?: string
  /** The admin who acted in the actor's place. */
  readonly impersonatorid?: string
  /** As `GET /api/v1/event-types` describes it. */
  readonly data: object
}

/** Media type of an envelope in JSON. */
export const CLOUD_EVENT_TYPE = 'application/cloudevents+json'

/** @param source URL of the service */
export function envelopeOf(event: OutboxEvent, source: string): CloudEvent {
  const { id, type, version, subject, occurred_at, actor, organization_id, request_id, data } = event
  const { impersonator_id } = event
  return {
    specversion: '1.0',
    id,
    source,
    type,
    subject: `${subject.type}/${subject.id}`,
    time: occurred_at,
    datacontenttype: 'application/json',
    typeversion: version,
    actorkind: actor.kind,
    ...(actor.id === null ? {} : { actorid: actor.id }),
    ...(organization_id === null ? {} : { organizationid: organization_id }),
    ...(request_id === null ? {} : { requestid: request_id }),
    ...(impersonator_id === null ? {} : { impersonatorid: impersonator_id }),
    data: JSON.parse(data),
  }
}
