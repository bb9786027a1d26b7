import { v7 as uuidv7 } from 'uuid'
import type { ActingParty, Context } from '#lib/context.ts'
import type { Database } from '#lib/database/database.ts'
import { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import type { Outcome } from './entry.ts'
import * as queries from './queries.ts'
import * as intake from './queries-of-intake.ts'
import { intakeRecorder, type Recordable } from './recorders.ts'

// What other services do to the log. Nothing here asks who the actor is, so routes never import it.

/** Something to be recorded that is not an event: a refusal, or what somebody did without changing anything. */
export interface Recorded {
  /** The organization; left out for the context's, or for what is about none. */
  readonly org?: string
  readonly action: string
  readonly target: { readonly type: string; readonly id: string | null }
  readonly outcome?: Outcome
  /** Ids, names of fields, values of closed sets: no personal data. */
  readonly details?: object
}

/** Writes an entry in the context's transaction. What emits an event has its entry already. */
export async function record(
  ctx: Pick<Context, 'db' | 'client' | 'marker'>,
  { org, action, target, outcome = 'succeeded', details = {} }: Recorded,
): Promise<void> {
  const { db, client, marker } = ctx
  await write(db, {
    id: uuidv7(),
    org: org ?? (db instanceof OrgDatabase ? db.org : null),
    type: action,
    subject: target,
    actor: client.actor,
    requestId: client.requestId,
    client,
    data: details,
    outcome,
    mark: (bytes) => marker.mark(bytes),
  })
}

/** Something that happened before, as another table has it. */
export interface RecordedEarlier extends Pick<Recorded, 'action' | 'target' | 'details'> {
  /** UUIDv7, whose time is the entry's. */
  readonly id: string
  readonly actor: ActingParty
  readonly client: { readonly ip: string | null; readonly userAgent: string | null }
}

/** Writes an entry of what happened to an account at an earlier time. */
export async function recordEarlier(
  { db, marker }: Pick<Context, 'db' | 'marker'>,
  { id, action, target, details = {}, actor, client }: RecordedEarlier,
): Promise<void> {
  const mark = (bytes: Buffer) => marker.mark(bytes)
  const about = { id, org: null, type: action, subject: target, data: details }
  await write(db, { ...about, actor, requestId: null, client, mark })
}

async function write(db: Database, occurrence: Recordable): Promise<void> {
  const { org } = occurrence
  const isScoped = db instanceof OrgDatabase || db instanceof SystemDatabase
  const scoped = org === null || isScoped ? db : new OrgDatabase(db, org)
  const values = intakeRecorder.valuesOf(occurrence)
  await scoped.query({ name: 'insertAuditEntry', text: INSERT, values })
}

const PARAMETERS = intakeRecorder.types.map((type, index) => `$${index + 1}::${type}`)
const INSERT = `${intakeRecorder.insert} VALUES (${PARAMETERS.join(', ')})`

/** Personal data that are erased at once. */
const ERASED_AT_ONCE = 5000

/**
 * Erases personal data of what an account did. The entries stay, and so does the proof that they are whole.
 *
 * @returns whether there may be more: somebody may have done a million things, and this is to be called again
 */
export async function erasePersonalData(ctx: Pick<Context, 'db'>, userId: string): Promise<boolean> {
  const db = new SystemDatabase(ctx.db)
  // First: what is filed meanwhile, the next statement finds where it is then.
  await intake.eraseWaiting(db, userId)
  return (await queries.deletePersonalData(db, userId, ERASED_AT_ONCE)) === ERASED_AT_ONCE
}
