import { v7 as uuidv7 } from 'uuid'
import type { ActingParty, Context } from '#lib/context.ts'
import { OrgDatabase, SystemDatabase, type UserDatabase } from '#lib/database/scoped-database.ts'
import type { DataOf, EventType } from './define-event.ts'
import type { Occurrence } from './occurrence.ts'
import { RecordingDatabase, record } from './recording.ts'

/*
 * The only writer of events. A change and its event are one transaction: `emitting` makes them one statement, `emit`
 * belongs in the transaction of the change. Whatever else is recorded of a change, such as its audit entry, hangs on the
 * same call: a `Recorder` (occurrence.ts) that recording.ts lists. It gets the actor, from the request's credentials,
 * the action, which is the event's type, the target, which is its subject, and the organization.
 *
 * What is one person's business alone is told them by `telling` and `tell`, and recorded nowhere else (decision 116).
 */

/** The part of a context that events need. */
export type EmittingContext = Pick<Context, 'db' | 'client' | 'marker'>

/** Something that happened. */
export interface Happening<E extends EventType> {
  /** Id of what it happened to. */
  readonly subject: string
  readonly data: DataOf<E>
  /** Whose it is, where the context is not the organization's: an operator's work, or a job's. */
  readonly org?: string
  /** Who did it, where the request says it and not its credentials: by a mailed token, or a password. */
  readonly actor?: ActingParty
}

/**
 * Returns the context's database for one statement that changes rows, which then writes the event too:
 *
 *     queries.insertProject(emitting(ctx, projectCreated, { subject: id, data: {} }), { id, name })
 *
 * A statement that returns no row (`RETURNING`) has changed nothing, and emits nothing.
 */
export function emitting<E extends EventType, D extends OrgDatabase | SystemDatabase>(
  ctx: EmittingContext & { readonly db: D },
  event: E,
  happening: Happening<E>,
): D extends OrgDatabase ? OrgDatabase : SystemDatabase
export function emitting<E extends EventType>(
  ctx: EmittingContext,
  event: E,
  happening: Happening<E>,
): RecordingDatabase
export function emitting<E extends EventType>(
  ctx: EmittingContext,
  event: E,
  happening: Happening<E>,
): OrgDatabase | SystemDatabase | RecordingDatabase {
  const { db } = ctx
  const occurrence = occurrenceOf(ctx, event, { ...happening, toldTo: null })
  return db instanceof OrgDatabase || db instanceof SystemDatabase
    ? db.through((parent) => new RecordingDatabase(parent, occurrence))
    : new RecordingDatabase(db, occurrence)
}

/** Writes an event of what the context's transaction does. */
export async function emit<E extends EventType>(
  ctx: EmittingContext,
  event: E,
  happening: Happening<E>,
): Promise<void> {
  await record(ctx.db, occurrenceOf(ctx, event, { ...happening, toldTo: null }))
}

/** Something that one person is told, and nobody else. */
export interface PersonalHappening<E extends EventType> extends Happening<E> {
  /** The person's id. */
  readonly toldTo: string
}

/**
 * Returns the context's database for one statement, as `emitting` does, of whose change one person alone is told, on their
 * own channel: it is in no audit log, and neither webhooks nor the broker have it.
 */
export function telling<E extends EventType, D extends SystemDatabase | UserDatabase>(
  ctx: EmittingContext & { readonly db: D },
  event: E,
  happening: PersonalHappening<E>,
): D extends UserDatabase ? UserDatabase : SystemDatabase
export function telling<E extends EventType>(
  ctx: EmittingContext & { readonly db: SystemDatabase | UserDatabase },
  event: E,
  happening: PersonalHappening<E>,
): SystemDatabase | UserDatabase {
  const occurrence = occurrenceOf(ctx, event, happening)
  return ctx.db.through((parent) => new RecordingDatabase(parent, occurrence))
}

/** Tells one person alone what the context's transaction does, as `telling` does. */
export async function tell<E extends EventType>(
  ctx: EmittingContext,
  event: E,
  happening: PersonalHappening<E>,
): Promise<void> {
  await record(ctx.db, occurrenceOf(ctx, event, happening))
}

function occurrenceOf<E extends EventType>(
  { db, client, marker }: EmittingContext,
  { type, version, of, subject }: E,
  { subject: id, data, org, toldTo, actor = client.actor }: Happening<E> & Pick<Occurrence, 'toldTo'>,
): Occurrence {
  const own = org ?? (db instanceof OrgDatabase ? db.org : undefined)
  if (of === 'organization' && own === undefined && toldTo === null)
    throw new Error(`${type} is emitted for no organization`)
  return {
    id: uuidv7(),
    org: of === 'organization' && own !== undefined ? own : null,
    type,
    version,
    subject: { type: subject, id },
    actor,
    requestId: client.requestId,
    client,
    data,
    toldTo,
    mark: (bytes) => marker.mark(bytes),
  }
}
