import { CANONICAL_COLUMNS, CANONICAL_FIELDS } from '../entry.ts'

/*
 * A seal with its entry and personal data, as COPY writes them in its binary format: fields one after the other, each with
 * its length before it. That is the canonical form too, so digests are taken over the very bytes that arrive.
 */

/** Columns of a row, from `audit_seals s`, `audit_entries e` and `audit_personal p`. */
export const SEALED_COLUMNS = `s.org_id, s.seq, s.entry_id, s.digest, s.hash, ${CANONICAL_COLUMNS}, e.mac,
  p.salt, p.ip, p.user_agent, p.names::text`

/** A row; the bytes are valid until the next one is read. */
export interface SealedRow {
  readonly org: Buffer
  readonly seq: number
  readonly id: Buffer
  readonly digest: Buffer
  readonly hash: Buffer
  /** Undefined when the seal's entry is missing. */
  readonly entry:
    | {
        readonly canonical: Buffer
        readonly withMac: Buffer
        readonly mac: Buffer
        readonly commitment: Buffer
      }
    | undefined
  /** Personal data, as a commitment is over them; undefined when they were erased. */
  readonly personal: Buffer | undefined
}

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const HEADER_BYTES = SIGNATURE.length + 8
const FIRST_ENTRY_FIELD = 5
const MAC_FIELD = FIRST_ENTRY_FIELD + CANONICAL_FIELDS
const SALT_FIELD = MAC_FIELD + 1
const FIELDS = SALT_FIELD + 4

/** Where fields begin, their lengths included; one more for the end. */
const starts = new Int32Array(FIELDS + 1)

/** Reads a message of COPY; undefined for one without a row. */
export function readSealedRow(message: Buffer): SealedRow | undefined {
  const at = message.subarray(0, SIGNATURE.length).equals(SIGNATURE) ? HEADER_BYTES : 0
  if (message.length - at < 2 || message.readInt16BE(at) !== FIELDS) return undefined
  let offset = at + 2
  for (let field = 0; field < FIELDS; field++) {
    starts[field] = offset
    offset += 4 + Math.max(0, message.readInt32BE(offset))
  }
  starts[FIELDS] = offset
  const raw = (first: number, last = first) => message.subarray(starts[first], starts[last + 1])
  const value = (field: number) => raw(field).subarray(4)
  const isNull = (field: number) => message.readInt32BE(starts[field] ?? 0) === -1
  return {
    org: value(0),
    seq: Number(message.readBigInt64BE((starts[1] ?? 0) + 4)),
    id: value(2),
    digest: value(3),
    hash: value(4),
    entry: isNull(MAC_FIELD)
      ? undefined
      : {
          canonical: raw(FIRST_ENTRY_FIELD, MAC_FIELD - 1),
          withMac: raw(FIRST_ENTRY_FIELD, MAC_FIELD),
          mac: value(MAC_FIELD),
          commitment: value(MAC_FIELD - 1),
        },
    personal: isNull(SALT_FIELD) ? undefined : raw(SALT_FIELD, FIELDS - 1),
  }
}

/** A UUID as text. */
export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
