import pg from 'pg'
import type { RawRow } from './raw-rows.ts'
import { types } from './types.ts'

/** A column as the server describes it. */
export interface Column {
  readonly name: string
  readonly dataTypeID: number
}

/** Writes the value between two places of the row as JSON, and returns where it ends in `out`. */
type Write = (row: Buffer, from: number, to: number, out: Buffer, at: number) => number

/** No value becomes longer than this many times its bytes and those of its length in the row. */
const GROWTH = 6
/** Bytes of the room that is kept for rows. */
const KEPT_ROOM = 65_536

const { BOOL, INT2, INT4, TEXT, TIMESTAMPTZ, UUID, VARCHAR } = pg.types.builtins
const [QUOTE, BACKSLASH, SPACE, ZERO, DASH, PLUS] = [0x22, 0x5c, 0x20, 0x30, 0x2d, 0x2b]
const [LETTER_T, LETTER_Z, LOWER_T, DOT] = [0x54, 0x5a, 0x74, 0x2e]
/** Length of a time without a fraction: `2026-01-31 08:15:30`. */
const SECONDS_END = 19

const room = Buffer.allocUnsafe(KEPT_ROOM)

/** Copies the bytes. */
const writeAsIs: Write = (row, from, to, out, at) => {
  let end = at
  for (let i = from; i < to; i++) out[end++] = Number(row[i])
  return end
}

const writeUuid: Write = (row, from, to, out, at) => {
  out[at] = QUOTE
  const end = writeAsIs(row, from, to, out, at + 1)
  out[end] = QUOTE
  return end + 1
}

const writeText: Write = (row, from, to, out, at) => {
  let end = at
  out[end++] = QUOTE
  for (let i = from; i < to; i++) {
    const byte = Number(row[i])
    if (byte < SPACE || byte === QUOTE || byte === BACKSLASH) {
      return at + out.write(JSON.stringify(row.toString('utf8', from, to)), at)
    }
    out[end++] = byte
  }
  out[end++] = QUOTE
  return end
}

const writeBoolean: Write = (row, from, _to, out, at) =>
  at + out.write(row[from] === LOWER_T ? 'true' : 'false', at)

/** `2026-01-31 08:15:30.12+00` becomes `2026-01-31T08:15:30.120Z`. */
const writeTime: Write = (row, from, to, out, at) => {
  const zone = to - 3
  const isUtc = row[zone] === PLUS && row[zone + 1] === ZERO && row[zone + 2] === ZERO
  if (!isUtc || row[from + 4] !== DASH || row[from + 10] !== SPACE) {
    return writeOther(TIMESTAMPTZ)(row, from, to, out, at)
  }
  out[at] = QUOTE
  writeAsIs(row, from, from + SECONDS_END, out, at + 1)
  out[at + 11] = LETTER_T
  out[at + 20] = DOT
  for (let digit = 1; digit <= 3; digit++) {
    const place = from + SECONDS_END + digit
    out[at + 20 + digit] = place < zone ? Number(row[place]) : ZERO
  }
  out[at + 24] = LETTER_Z
  out[at + 25] = QUOTE
  return at + 26
}

/** Writes the driver's value as JSON. */
function writeOther(type: number): Write {
  const parse = types.getTypeParser(type, 'text')
  return (row, from, to, out, at) => at + out.write(JSON.stringify(parse(row.toString('utf8', from, to))), at)
}

const WRITERS: ReadonlyMap<number, Write> = new Map([
  [BOOL, writeBoolean],
  [INT2, writeAsIs],
  [INT4, writeAsIs],
  [TEXT, writeText],
  [TIMESTAMPTZ, writeTime],
  [UUID, writeUuid],
  [VARCHAR, writeText],
])

/**
 * Writes rows as JSON objects, from the bytes of the wire (decision 074). The names are those of the columns, and the
 * values those that the response's schema would write of the driver's rows.
 */
export class JsonRowWriter {
  readonly #columns: readonly { readonly name: Buffer; readonly write: Write }[]
  /** Bytes of all names. */
  readonly #length: number

  /**
   * @param shown the columns that may be shown
   * @throws Error for another column
   */
  constructor(columns: readonly Column[], shown: readonly string[]) {
    const other = columns.find(({ name }) => !shown.includes(name))
    if (other !== undefined) throw new Error(`column ${other.name} is not to be shown`)
    this.#columns = columns.map(({ name, dataTypeID }, index) => ({
      name: Buffer.from(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`),
      write: WRITERS.get(dataTypeID) ?? writeOther(dataTypeID),
    }))
    this.#length = this.#columns.reduce((sum, { name }) => sum + name.length, '{}'.length)
  }

  /** @throws UnreadableValue for a time that JSON cannot show, such as `infinity` */
  write({ bytes, offset, length }: RawRow): string {
    const out = roomFor(this.#length + GROWTH * length)
    let from = offset + 2
    let at = 0
    for (const { name, write } of this.#columns) {
      at = writeAsIs(name, 0, name.length, out, at)
      const size = bytes.readInt32BE(from)
      from += 4
      if (size < 0) {
        at += out.write('null', at)
      } else {
        at = write(bytes, from, from + size, out, at)
        from += size
      }
    }
    out[at++] = '}'.charCodeAt(0)
    return out.toString('utf8', 0, at)
  }
}

function roomFor(bytes: number): Buffer {
  if (bytes <= KEPT_ROOM) return room
  return Buffer.allocUnsafe(bytes)
}
