import pg from 'pg'
import t from 'tap'
import {
  breaksConnection,
  brokenConstraint,
  DatabaseUnavailable,
  databaseError,
  ValueNotStorable,
} from '#lib/database/errors.ts'

function sqlError(code: string | undefined, constraint?: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('refused', 7, 'error'), { code, constraint })
}

t.test('what a SQLSTATE means', async (t) => {
  const rows = [
    {
      codes: ['08000', '08003', '08006', '57P01', '57P02', '57P03', '25006', '25P03', '25P04'],
      is: 'unavailable',
      breaks: true,
    },
    { codes: ['0A000', '26000', '42P05'], is: 'unavailable', breaks: true },
    {
      codes: ['28000', '28P01', '3D000', '53300', '53100', '58030', '55P03', '57014'],
      is: 'unavailable',
      breaks: false,
    },
    { codes: ['40001', '40P01', '42P01', '42703'], is: 'unavailable', breaks: false },
    { codes: ['22021', '22P02', '22003', '22P05'], is: 'not storable', breaks: false },
    { codes: ['23505', '23514', '42601', '42501', 'P0001', 'XX000', ''], is: 'itself', breaks: false },
  ]
  for (const { codes, is, breaks } of rows) {
    for (const code of codes) {
      const error = sqlError(code)
      const result = databaseError(error)
      if (is === 'itself') t.equal(result, error, code)
      else {
        const expected = is === 'unavailable' ? DatabaseUnavailable : ValueNotStorable
        t.ok(result instanceof expected, code)
        t.match(result, { cause: error, retryAfter: is === 'unavailable' ? 5 : undefined })
      }
      t.equal(breaksConnection(error), breaks, `${code}: whether the connection is used again`)
      t.equal(breaksConnection(result), breaks, `${code}: the same of what it became`)
    }
  }
  const without = sqlError(undefined)
  t.equal(databaseError(without), without)
  t.equal(breaksConnection(without), false)
})

t.test('what the network and the driver throw', async (t) => {
  const network = [
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'CERT_HAS_EXPIRED',
    'INVALID_CA',
    'INVALID_PURPOSE',
    'HOSTNAME_MISMATCH',
    'PATH_LENGTH_EXCEEDED',
  ]
  const driver = [
    'Connection terminated',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout exceeded when trying to connect',
    'timeout expired',
    'Query read timeout',
    'Client has encountered a connection error and is not queryable',
    'Client was closed and is not queryable',
    'Cannot use a pool after calling end on the pool',
    'The server does not support SSL connections',
    'There was an error establishing an SSL connection',
    'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string',
  ]
  const errors = [
    ...network.map((code) => Object.assign(new Error('failed'), { code })),
    ...driver.map((message) => new Error(message)),
  ]
  for (const error of errors) {
    t.ok(databaseError(error) instanceof DatabaseUnavailable, error.message)
    t.ok(breaksConnection(error))
  }
})

t.test('errors of other origin stay as they are', async (t) => {
  const others = [
    new Error('a mistake'),
    new TypeError('of ours'),
    Object.assign(new Error('file'), { code: 'ENOENT' }),
    Object.assign(new Error('a number'), { code: 23505 }),
    'text',
    undefined,
    null,
  ]
  for (const error of others) {
    t.equal(databaseError(error), error)
    t.equal(breaksConnection(error), false)
  }
  const ours = new DatabaseUnavailable({ retryAfter: 1 })
  t.equal(databaseError(ours), ours, 'nothing is wrapped twice')
})

t.test('the constraint that was broken', async (t) => {
  t.equal(brokenConstraint(sqlError('23505', 'users_email_key')), 'users_email_key')
  t.equal(brokenConstraint(sqlError('23514', 'users_role_known')), 'users_role_known')
  t.equal(brokenConstraint(sqlError('23505', 'projects_name_key_p13')), 'projects_name_key', 'of a partition')
  t.equal(brokenConstraint(sqlError('23502')), undefined)
  t.equal(brokenConstraint(sqlError('22003', 'users_email_key')), undefined)
  t.equal(brokenConstraint(sqlError(undefined, 'users_email_key')), undefined)
  t.equal(brokenConstraint(new Error('other')), undefined)
})
