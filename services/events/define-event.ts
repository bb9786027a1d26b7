import { type Static, type TObject, type TProperties, Type } from '@sinclair/typebox'
import { StringEnum } from '#schemas/primitives.ts'

interface EventOptions<Data extends TProperties> {
  /** Domain and what happened, such as `projects.created`. It never changes its meaning. */
  readonly type: string
  /** Counts from 1; a change of `data` that a reader could not cope with is another version. */
  readonly version?: number
  /** Whose it is: an organization's, or the platform's, such as what happens to a person's account. */
  readonly of: 'organization' | 'platform'
  /** Kind of what it happens to, such as `project`. */
  readonly subject: string
  /** A sentence for readers of the API document. */
  readonly description: string
  /**
   * Data beside the subject: ids, names of changed fields and values of closed sets. No secret, and
   * nothing that people have written (decision 060).
   */
  readonly data: Data
}

/** A kind of event: what receivers of webhooks, consumers of the broker and readers of the audit log know it by. */
export interface EventType<Data extends TProperties = TProperties>
  extends Required<Omit<EventOptions<Data>, 'data'>> {
  readonly data: TObject<Data>
}

/** Data of an event of a type. */
export type DataOf<E extends EventType> = Static<E['data']>

const definitions = new WeakSet<object>()

/**
 * Declares a kind of event. What services/<domain>/events.ts exports is found by itself, and so is in the API document,
 * in `listEventTypes`, and among what webhooks can ask for.
 *
 * @throws Error for a type that is not `domain.what_happened`
 */
export function defineEvent<Data extends TProperties>({
  version = 1,
  data,
  ...options
}: EventOptions<Data>): EventType<Data> {
  if (!/^[a-z][a-z_]*\.[a-z][a-z_]*$/.test(options.type)) {
    throw new Error(`an event can't be named ${options.type}`)
  }
  const definition = { ...options, version, data: Type.Object(data, { additionalProperties: false }) }
  definitions.add(definition)
  return definition
}

/** Whether a module's export is a kind of event. */
export function isEventType(value: unknown): value is EventType {
  return typeof value === 'object' && value !== null && definitions.has(value)
}

/** Part of an event's data: which fields a change named. */
export const changedFields = <const T extends string>(...names: T[]) =>
  Type.Array(StringEnum(names, { description: 'Name of a field.' }), {
    description: 'Fields that the change named.',
  })

/** Returns the names of what a change has: those that are not undefined. */
export function namesOf<T extends object>(changes: T): (keyof T & string)[] {
  const names = Object.keys(changes) as (keyof T & string)[]
  return names.filter((name) => changes[name] !== undefined)
}
