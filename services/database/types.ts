import pg from 'pg'

/** Of `timestamptz`. */
const TIMESTAMPTZ = 1184

const parseAny = pg.types.getTypeParser(TIMESTAMPTZ)

/**
 * Reads a time as PostgreSQL writes it where the session's zone is UTC, `2026-01-31 08:15:30.123+00`, ten times as
 * fast as the driver does; everything else is left to the driver.
 */
function parseTimestamp(text: string): unknown {
  const isPlain = text[4] === '-' && text[10] === ' ' && text.endsWith('+00')
  return isPlain ? new Date(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`) : parseAny(text)
}

/** How values of the database become ours. */
export const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === TIMESTAMPTZ && format !== 'binary' ? parseTimestamp : pg.types.getTypeParser(oid, format),
}
