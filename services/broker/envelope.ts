import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
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

const UUID = '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$'

/** The envelopes that can be handled. */
const Envelope = Type.Object({
  specversion: Type.Literal('1.0'),
  id: Type.String({ pattern: UUID }),
  source: Type.String(),
  type: Type.String({ pattern: '^[a-z][a-z_]*\\.[a-z][a-z_]*$' }),
  subject: Type.String(),
  time: Type.String(),
  datacontenttype: Type.Literal('application/json'),
  typeversion: Type.Integer(),
  // A newer version of the service, beside this one for a while, may know others.
  actorkind: Type.Unsafe<CloudEvent['actorkind']>(Type.String()),
  actorid: Type.Optional(Type.String()),
  organizationid: Type.Optional(Type.String({ pattern: UUID })),
  requestid: Type.Optional(Type.String()),
  impersonatorid: Type.Optional(Type.String()),
  data: Type.Object({}),
})

/** As JSON writes what PostgreSQL can't store: NUL, and half of a pair. */
const NOT_STORABLE = /\\u(?:0000|d[89a-f])/

/** Reads an envelope; undefined for a message that is not one of this service, and could never be handled. */
export function readEnvelope(text: string): CloudEvent | undefined {
  const value = parse(text)
  return Value.Check(Envelope, value) && !NOT_STORABLE.test(JSON.stringify(value)) ? value : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
