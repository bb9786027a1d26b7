import pg from 'pg'

const { BYTEA, FLOAT4, FLOAT8, TIMESTAMPTZ } = pg.types.builtins

const parseAny = pg.types.getTypeParser(TIMESTAMPTZ)
const parseBytea = pg.types.getTypeParser(BYTEA)

/**
 * Makes an RFC 3339 time, in UTC and with milliseconds, of a time as PostgreSQL writes it where the session's zone is
 * UTC, `2026-01-31 08:15:30.12+00`, for most go into an answer as they are. Everything else is left to the driver.
 *
 * @throws UnreadableValue for what is not a time, such as `infinity`, or is written in another style than ISO
 */
function parseTimestamp(text: string): string {
  if (text[4] === '-' && text[10] === ' ' && text.endsWith('+00')) {
    const time = text.slice(11, -3)
    const fraction = time.length === 8 ? '.000' : time.slice(8, 12).padEnd(4, '0')
    return `${text.slice(0, 10)}T${time.slice(0, 8)}${fraction}Z`
  }
  const value: unknown = parseAny(text)
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString()
  throw new UnreadableValue('timestamptz')
}

/** @throws UnreadableValue for NaN and infinity, which JSON does not have */
function parseNumber(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value)) return value
  throw new UnreadableValue('float')
}

/** @throws UnreadableValue for the format `escape` */
function parseBytes(text: string): unknown {
  if (text.startsWith('\\x')) return parseBytea(text)
  throw new UnreadableValue('bytea')
}

/** The database sent a value that cannot be ours; its text may be somebody's data, and is not told. */
export class UnreadableValue extends Error {
  override name = 'UnreadableValue'

  constructor(type: string) {
    super(`a value of type ${type} cannot be read`)
  }
}

const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map([
  [TIMESTAMPTZ, parseTimestamp],
  [BYTEA, parseBytes],
  [FLOAT4, parseNumber],
  [FLOAT8, parseNumber],
])

/** How values of the database become ours. */
export const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    (format === 'binary' ? undefined : PARSERS.get(oid)) ?? pg.types.getTypeParser(oid, format),
}
