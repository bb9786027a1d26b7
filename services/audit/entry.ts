import { hash, randomFillSync } from 'node:crypto'

/** Whether it was done, or refused for lack of rights. */
export type Outcome = 'succeeded' | 'denied'

/** An entry of the audit log, personal data aside. */
export interface AuditEntry {
  /** The organization, or PLATFORM. */
  readonly org: string
  /** UUIDv7, whose time is the entry's. */
  readonly id: string
  /** Who acted: the kind, and the id of the account or key. */
  readonly actor: { readonly kind: string; readonly id: string | null }
  /** An event's type, such as `projects.created`. */
  readonly action: string
  readonly target: { readonly type: string; readonly id: string | null }
  readonly outcome: Outcome
  readonly requestId: string | null
  /** JSON, as it is stored; without personal data. */
  readonly details: string
  readonly commitment: Buffer
}

/** Data that may be erased; the entry commits to them. */
export interface PersonalData {
  readonly salt: Buffer
  readonly ip: string | null
  readonly userAgent: string | null
  /** JSON, as it is stored. */
  readonly names: string | null
}

/** Stands for the organization in entries that are about none. */
export const PLATFORM = '00000000-0000-0000-0000-000000000000'

/**
 * Fields of the canonical form, in their order, as columns of audit_entries `e`. COPY writes them as `canonical` does: the
 * binary format of `json` is its text. `date_part` is exact for milliseconds, and quicker than `extract`, which is numeric.
 */
export const CANONICAL_COLUMNS = `e.org_id, e.id, (date_part('epoch', e.at) * 1000)::bigint, e.actor_kind, e.actor_id,
  e.action, e.target_type, e.target_id, e.outcome, e.request_id, e.details, e.personal_commitment`
export const CANONICAL_FIELDS = 12

/** The first byte of what is hashed: its kind. */
export const ENTRY = Buffer.of(2)
export const PERSONAL = Buffer.of(4)
const SALT_BYTES = 16
/** Salts that are made at once. */
const SALTS = 256

/**
 * The bytes that an entry's mac and digest are over: its fields in a fixed order, each with its length before it (four
 * bytes; all ones for null), ids as 16 bytes, the time as milliseconds in eight.
 */
export function canonical(entry: AuditEntry): Buffer {
  return fields(
    uuidBytes(entry.org),
    uuidBytes(entry.id),
    int64(timeOf(entry.id)),
    entry.actor.kind,
    entry.actor.id,
    entry.action,
    entry.target.type,
    entry.target.id,
    entry.outcome,
    entry.requestId,
    entry.details,
    entry.commitment,
  )
}

/** The digest of an entry, which the chain is over: SHA-256(0x02 | canonical form and mac). */
export function digestOf(canonicalBytes: Buffer, mac: Buffer): Buffer {
  return digestOfSealed(Buffer.concat([canonicalBytes, fields(mac)]))
}

/** The same from the canonical form with the mac as one more field. */
function digestOfSealed(bytes: Buffer): Buffer {
  return hash('sha256', Buffer.concat([ENTRY, bytes]), 'buffer')
}

/** The commitment of an entry to its personal data: SHA-256(0x04 | salt and data). */
export function commitmentOf({ salt, ip, userAgent, names }: PersonalData): Buffer {
  return hash('sha256', Buffer.concat([PERSONAL, fields(salt, ip, userAgent, names)]), 'buffer')
}

/** Random bytes for the next salts: to ask for a few at a time takes 20 us each. */
let salts = Buffer.alloc(0)

export function newSalt(): Buffer {
  if (salts.length === 0) salts = randomFillSync(Buffer.alloc(SALTS * SALT_BYTES))
  const salt = salts.subarray(0, SALT_BYTES)
  salts = salts.subarray(SALT_BYTES)
  return salt
}

/** Milliseconds since 1970 of a UUIDv7. */
export function timeOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

export function uuidBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex')
}

export function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

const NULL = -1
const LENGTH_BYTES = 4

/** Room in which fields are put together; what is longer gets its own. */
const room = Buffer.allocUnsafe(4096)

/** Fields one after the other, each with its length before it. In one piece: a buffer for each field takes twice the time. */
function fields(...values: readonly (Buffer | string | null)[]): Buffer {
  let most = 0
  // A character takes three bytes at most: the two units of what takes four are two.
  for (const value of values) most += LENGTH_BYTES + (value === null ? 0 : value.length * 3)
  const target = most > room.length ? Buffer.allocUnsafe(most) : room
  let end = 0
  for (const value of values) {
    const start = end + LENGTH_BYTES
    const length = value === null ? 0 : put(value, target, start)
    target.writeInt32BE(value === null ? NULL : length, end)
    end = start + length
  }
  return Buffer.from(target.subarray(0, end))
}

function put(value: Buffer | string, target: Buffer, at: number): number {
  return typeof value === 'string' ? target.write(value, at) : value.copy(target, at)
}
