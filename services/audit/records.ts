import { v7 as uuidv7 } from 'uuid'
import type { Context } from '#lib/context.ts'
import { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import type { Outcome } from './entry.ts'
import * as queries from './queries.ts'
import { entryRecorder, pendingRecorder, personalRecorder, type Recordable } from './recorders.ts'

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
  const own = org ?? (db instanceof OrgDatabase ? db.org : null)
  const occurrence: Recordable = {
    id: uuidv7(),
    org: own,
    type: action,
    subject: target,
    actor: client.actor,
    requestId: client.requestId,
    client,
    data: details,
    outcome,
    mark: (bytes) => marker.mark(bytes),
  }
  const isScoped = db instanceof OrgDatabase || db instanceof SystemDatabase
  const scoped = own === null || isScoped ? db : new OrgDatabase(db, own)
  await scoped.query({ name: 'insertAuditEntry', text: INSERT, values: valuesOf(occurrence) })
}

const RECORDERS = [entryRecorder, personalRecorder, pendingRecorder] as const

function valuesOf(occurrence: Recordable): unknown[] {
  return RECORDERS.flatMap((recorder) => recorder.valuesOf(occurrence))
}

const INSERT = insertText()

function insertText(): string {
  let count = 0
  const [entry, personal, pending] = RECORDERS.map(
    ({ insert, types }) => `${insert} VALUES (${types.map((type) => `$${++count}::${type}`).join(', ')})`,
  )
  return `WITH entry AS (${entry}), personal AS (${personal}) ${pending}`
}

/** Erases the personal data of all that an account did. The entries stay, and so does the proof that they are whole. */
export async function erasePersonalData(ctx: Pick<Context, 'db'>, userId: string): Promise<void> {
  await queries.deletePersonalData(new SystemDatabase(ctx.db), userId)
}
