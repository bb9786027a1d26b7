import { CANONICAL_COLUMNS, CANONICAL_FIELDS } from '../entry.ts'

/*
 * A seal with its entry and personal data, as COPY writes them in its binary format: fields one after the other, each with
 * its length before it. That is the canonical form too, so digests are taken over the very bytes that arrive.
 */

/** Columns of a row, from `audit_seals s`, `audit_entries e` and `audit_personal p`. */
export const SEALED_COLUMNS = `s.org_id, s.seq, s.entry_id, s.digest, s.hash, ${CANONICAL_COLUMNS}, e.mac,
  p.salt, p.ip, p.user_agent, p.names,
  p.user_id::text IS NOT DISTINCT FROM CASE WHEN e.actor_kind IN ('user', 'admin') THEN e.actor_id END`

/** A row; the bytes are valid until the next one is read. */
export interface SealedRow {
  readonly org: Buffer
  readonly seq: number
  readonly id: Buffer
  /** Hashes are strings, each character a byte. */
  readonly digest: string
  readonly hash: string
  /** Undefined when the seal's entry is missing. */
  readonly entry:
    | {
        readonly canonical: Buffer
        readonly withMac: Buffer
        readonly mac: Buffer
        readonly commitment: string
      }
    | undefined
  /** Personal data, as a commitment is over them; undefined when they were erased. */
  readonly personal: Buffer | undefined
  /** Whether the personal data are kept as those of the actor, whose deletion erases them. */
  readonly isOfActor: boolean
}

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const HEADER_BYTES = SIGNATURE.length + 8
const FIRST_ENTRY_FIELD = 5
const MAC_FIELD = FIRST_ENTRY_FIELD + CANONICAL_FIELDS
const SALT_FIELD = MAC_FIELD + 1
const OWNER_FIELD = SALT_FIELD + 4
const FIELDS = OWNER_FIELD + 1

/** Where fields begin, their lengths included; one more for the end. */
const starts = new Int32Array(FIELDS + 1)

/** Reads a message of COPY; undefined for one without a row. */
export function readSealedRow(message: Buffer): SealedRow | undefined {
  // A row begins with the high byte of how many fields it has.
  const isFirst = message[0] === SIGNATURE[0] && message.subarray(0, SIGNATURE.length).equals(SIGNATURE)
  const at = isFirst ? HEADER_BYTES : 0
  if (message.length - at < 2 || message.readInt16BE(at) !== FIELDS) return undefined
  let offset = at + 2
  for (let field = 0; field < FIELDS; field++) {
    starts[field] = offset
    offset += 4 + Math.max(0, message.readInt32BE(offset))
  }
  starts[FIELDS] = offset
  const isMissing = message.readInt32BE(starts[MAC_FIELD] ?? 0) === -1
  const isErased = message.readInt32BE(starts[SALT_FIELD] ?? 0) === -1
  return {
    org: bytesIn(message, 0),
    seq: message.readUInt32BE((starts[1] ?? 0) + 4) * 2 ** 32 + message.readUInt32BE((starts[1] ?? 0) + 8),
    id: bytesIn(message, 2),
    digest: hashIn(message, 3),
    hash: hashIn(message, 4),
    entry: isMissing
      ? undefined
      : {
          canonical: rawOf(message, FIRST_ENTRY_FIELD, MAC_FIELD - 1),
          withMac: rawOf(message, FIRST_ENTRY_FIELD, MAC_FIELD),
          mac: bytesIn(message, MAC_FIELD),
          commitment: hashIn(message, MAC_FIELD - 1),
        },
    personal: isErased ? undefined : rawOf(message, SALT_FIELD, OWNER_FIELD - 1),
    isOfActor: bytesIn(message, OWNER_FIELD)[0] === 1,
  }
}

/** Fields with their lengths. */
function rawOf(message: Buffer, first: number, last: number): Buffer {
  return message.subarray(starts[first], starts[last + 1])
}

function bytesIn(message: Buffer, field: number): Buffer {
  return message.subarray((starts[field] ?? 0) + 4, starts[field + 1])
}

function hashIn(message: Buffer, field: number): string {
  return message.toString('latin1', (starts[field] ?? 0) + 4, starts[field + 1])
}

/** A UUID as text. */
export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
