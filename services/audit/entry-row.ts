import type { AuditEntry, Outcome } from './entry.ts'

/** Columns of an entry `e`, as the chain needs them. */
export const ENTRY_COLUMNS = `e.actor_kind, e.actor_id, e.action, e.target_type, e.target_id, e.outcome, e.request_id,
  e.details::text AS details, e.personal_commitment AS commitment, e.mac`

/** A row that may lack its entry: of a left join. */
export interface EntryRow {
  readonly org: string
  readonly id: string
  readonly actor_kind: string
  readonly actor_id: string | null
  readonly action: string
  readonly target_type: string
  readonly target_id: string | null
  readonly outcome: Outcome
  readonly request_id: string | null
  readonly details: string
  readonly commitment: Buffer
  readonly mac: Buffer | null
}

/** An entry that is not sealed; undefined parts are missing. */
export interface PendingEntry {
  readonly org: string
  readonly id: string
  readonly entry: AuditEntry | undefined
  readonly mac: Buffer | undefined
}

/** Takes the entry out of a row. */
export function foundEntry(row: EntryRow): PendingEntry {
  const { org, id, mac } = row
  return mac === null ? { org, id, entry: undefined, mac: undefined } : { org, id, entry: entryOf(row), mac }
}

function entryOf(row: EntryRow): AuditEntry {
  return {
    org: row.org,
    id: row.id,
    actor: { kind: row.actor_kind, id: row.actor_id },
    action: row.action,
    target: { type: row.target_type, id: row.target_id },
    outcome: row.outcome,
    requestId: row.request_id,
    details: row.details,
    commitment: row.commitment,
  }
}
