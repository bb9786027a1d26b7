import pg from 'pg'

/** Of `timestamptz`. */
const TIMESTAMPTZ = 1184

const parseAny = pg.types.getTypeParser(TIMESTAMPTZ)

/**
 * Makes an RFC 3339 time, in UTC and with milliseconds, of a time as PostgreSQL writes it where the session's zone is
 * UTC, `2026-01-31 08:15:30.12+00`, for most go into an answer as they are. Everything else is left to the driver.
 */
function parseTimestamp(text: string): unknown {
  if (text[4] === '-' && text[10] === ' ' && text.endsWith('+00')) {
    const time = text.slice(11, -3)
    const fraction = time.length === 8 ? '.000' : time.slice(8, 12).padEnd(4, '0')
    return `${text.slice(0, 10)}T${time.slice(0, 8)}${fraction}Z`
  }
  const value: unknown = parseAny(text)
  return value instanceof Date ? value.toISOString() : value
}

/** How values of the database become ours. */
export const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === TIMESTAMPTZ && format !== 'binary' ? parseTimestamp : pg.types.getTypeParser(oid, format),
}
