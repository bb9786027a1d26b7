/** Settings of a database or role, and the values that the session must have. */
export const HOSTILE: readonly [string, string, string][] = [
  ['DateStyle', "'German, DMY'", 'ISO, MDY'],
  ['TimeZone', "'Asia/Kolkata'", 'UTC'],
  ['IntervalStyle', 'sql_standard', 'postgres'],
  ['bytea_output', 'escape', 'hex'],
  ['extra_float_digits', '-15', '1'],
  ['standard_conforming_strings', 'off', 'on'],
  ['search_path', 'pg_catalog', 'public'],
  ['client_encoding', 'LATIN1', 'UTF8'],
  ['default_transaction_isolation', 'serializable', 'read committed'],
  ['default_transaction_deferrable', 'on', 'off'],
  ['row_security', 'off', 'on'],
  ['array_nulls', 'off', 'on'],
  ['transform_null_equals', 'on', 'off'],
  ['statement_timeout', "'2h'", '10s'],
  ['lock_timeout', "'2h'", '5s'],
  ['idle_in_transaction_session_timeout', '0', '7s'],
  ['idle_session_timeout', "'5s'", '0'],
  ['transaction_timeout', "'2h'", '0'],
]
/** Limits of such a session, as HOSTILE has them. */
export const TIMES = {
  statement_timeout: 10_000,
  lock_timeout: 5000,
  idle_in_transaction_session_timeout: 7000,
}
