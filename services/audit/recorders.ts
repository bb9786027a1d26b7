import { canonical, commitmentOf, newSalt, type Outcome, PLATFORM, timeOf } from './entry.ts'

/** The part of an event's occurrence that the audit log tells. */
export interface Recordable {
  /** UUIDv7, of the event too. */
  readonly id: string
  /** Null for what happens to people and to the service as a whole. */
  readonly org: string | null
  readonly type: string
  readonly subject: { readonly type: string; readonly id: string | null }
  readonly actor: { readonly kind: string; readonly id: string | null }
  readonly requestId: string | null
  readonly client: {
    readonly ip: string | null
    readonly userAgent: string | null
    readonly reason?: string
    readonly impersonator?: string | undefined
  }
  readonly data: object
  readonly outcome?: Outcome
  /** Marks the entry as the service's own. */
  readonly mark: (bytes: Buffer) => Buffer
}

/** The id of the account whose address and device are kept; null for keys and for what the service does itself. */
function personOf({ kind, id }: Recordable['actor']): string | null {
  return kind === 'user' || kind === 'admin' ? id : null
}

/** Writes the entry with its personal data, for the sealer to file and chain. */
export const intakeRecorder = {
  insert:
    'INSERT INTO audit_intake (org_id, id, at, actor_kind, actor_id, action, target_type, target_id, outcome, request_id, details, personal_commitment, mac, user_id, salt, ip, user_agent)',
  types: [
    ...['uuid', 'uuid', 'timestamptz', 'text', 'text', 'text', 'text', 'text', 'text', 'text', 'json'],
    ...['bytea', 'bytea', 'uuid', 'bytea', 'text', 'text'],
  ],
  valuesOf(occurrence: Recordable): unknown[] {
    const { id, actor, type, subject, requestId, client, outcome = 'succeeded' } = occurrence
    const org = occurrence.org ?? PLATFORM
    const { ip, userAgent, reason, impersonator: impersonator_id } = client
    const salt = newSalt()
    const commitment = commitmentOf({ salt, ip, userAgent, names: null })
    // What is undefined is left out; an event may have a reason of its own.
    const details = JSON.stringify({ reason, impersonator_id, ...occurrence.data })
    const entry = { org, id, actor, action: type, target: subject, outcome, requestId, details, commitment }
    const mac = occurrence.mark(canonical(entry))
    return [
      ...[org, id, new Date(timeOf(id)).toISOString(), actor.kind, actor.id, type, subject.type, subject.id],
      ...[outcome, requestId, details, commitment, mac, personOf(actor), salt, ip, userAgent],
    ]
  },
}
