import {
  canonical,
  commitmentOf,
  newSalt,
  type Outcome,
  type PersonalData,
  PLATFORM,
  timeOf,
} from './entry.ts'

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

/** An entry with what belongs to it, as its tables have it. */
interface Prepared {
  readonly org: string
  readonly personal: PersonalData
  readonly commitment: Buffer
  readonly details: string
  readonly mac: Buffer
}

const prepared = new WeakMap<Recordable, Prepared>()

/** One salt for all that is written of an occurrence. */
function prepare(occurrence: Recordable): Prepared {
  const known = prepared.get(occurrence)
  if (known !== undefined) return known
  const { id, actor, type, subject, requestId, client, outcome = 'succeeded' } = occurrence
  const org = occurrence.org ?? PLATFORM
  const personal = { salt: newSalt(), ip: client.ip, userAgent: client.userAgent, names: null }
  const commitment = commitmentOf(personal)
  const { reason, impersonator: impersonator_id } = client
  // What is undefined is left out; an event may have a reason of its own.
  const details = JSON.stringify({ reason, impersonator_id, ...occurrence.data })
  const entry = { org, id, actor, action: type, target: subject, outcome, requestId, details, commitment }
  const made = { org, personal, commitment, details, mac: occurrence.mark(canonical(entry)) }
  prepared.set(occurrence, made)
  return made
}

/** The id of the account whose address and device are kept; null for keys and for what the service does itself. */
function personOf({ kind, id }: Recordable['actor']): string | null {
  return kind === 'user' || kind === 'admin' ? id : null
}

/** Writes the entry. */
export const entryRecorder = {
  insert:
    'INSERT INTO audit_entries (org_id, id, at, actor_kind, actor_id, action, target_type, target_id, outcome, request_id, details, personal_commitment, mac)',
  types: [
    'uuid',
    'uuid',
    'timestamptz',
    'text',
    'text',
    'text',
    'text',
    'text',
    'text',
    'text',
    'json',
    'bytea',
    'bytea',
  ],
  valuesOf(occurrence: Recordable): unknown[] {
    const { org, details, commitment, mac } = prepare(occurrence)
    const { id, actor, type, subject, requestId, outcome = 'succeeded' } = occurrence
    const { kind } = actor
    const at = new Date(timeOf(id))
    return [
      org,
      id,
      at,
      kind,
      actor.id,
      type,
      subject.type,
      subject.id,
      outcome,
      requestId,
      details,
      commitment,
      mac,
    ]
  },
}

/** Writes what may be erased. */
export const personalRecorder = {
  insert: 'INSERT INTO audit_personal (org_id, entry_id, user_id, salt, ip, user_agent)',
  types: ['uuid', 'uuid', 'uuid', 'bytea', 'text', 'text'],
  valuesOf(occurrence: Recordable): unknown[] {
    const { org, personal } = prepare(occurrence)
    const { salt, ip, userAgent } = personal
    return [org, occurrence.id, personOf(occurrence.actor), salt, ip, userAgent]
  },
}

/** Lets the entry wait for the sealer. */
export const pendingRecorder = {
  insert: 'INSERT INTO audit_pending (org_id, entry_id)',
  types: ['uuid', 'uuid'],
  valuesOf: (occurrence: Recordable): unknown[] => [prepare(occurrence).org, occurrence.id],
}
