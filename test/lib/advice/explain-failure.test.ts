import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { explainFailure } from '#lib/advice/explain-failure.ts'
import { DatabaseUnavailable } from '#lib/database/errors.ts'
import { UnusableSession } from '#lib/database/unusable-session.ts'
import { loadBinaries } from '#lib/embedded-postgres/binaries.ts'
import { explainOutput } from '#lib/embedded-postgres/explain-output.ts'
import { openLayout } from '#lib/embedded-postgres/layout.ts'
import { MigrationError } from '#lib/migrations/migration-error.ts'

/** As the system's errors are. */
function systemError(code: string, fields: object = {}): Error {
  return Object.assign(new Error(`it says ${code}`), { code, ...fields })
}

t.test('what was written for people is told as it is', async (t) => {
  t.equal(explainFailure(new MigrationError('002.do.x.sql is wrong')), '002.do.x.sql is wrong')
  const missing = await loadBinaries('beos-x64').catch((error: unknown) => error)
  t.match(
    explainFailure(missing),
    /^The embedded PostgreSQL needs the package .* set APP_DATABASE__URL .*server\.$/,
  )
  t.equal(explainFailure('text'), 'text')
  const names = ['BackupError', 'ConfigError', 'EmbeddedPostgresError', 'KeyRingError', 'MeasurementError']
  names.push('ObjectStoreError', 'ProxyUnsupported', 'RefusedCommand', 'UnboundRole', 'UnknownQueue')
  names.push('WorkerFailed')
  for (const name of names) {
    const spoken = Object.assign(new Error('read it'), { name, code: 'ECONNREFUSED' })
    t.equal(explainFailure(spoken), 'read it', name)
  }
  t.equal(explainFailure(new DatabaseUnavailable()), 'The service cannot reach its database at the moment.')
})

t.test('the listener', async (t) => {
  for (const code of ['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL', 'EAFNOSUPPORT']) {
    const text = explainFailure(systemError(code, { syscall: 'listen' }))
    t.match(text, new RegExp(`^it says ${code}\\n.*Set APP_SERVER__(HOST|PORT)`), code)
  }
  for (const syscall of ['bind', 'listen']) {
    t.match(explainFailure(systemError('EADDRINUSE', { syscall })), /The port is taken/, syscall)
  }
  t.match(explainFailure(systemError('ELOOP', { syscall: 'listen' })), /^Error: it says ELOOP\n {4}at /)
  const unknown = systemError('ENOTFOUND', { syscall: 'getaddrinfo' })
  t.match(explainFailure(unknown, { listening: true }), /APP_SERVER__HOST/)
  t.match(explainFailure(unknown), /APP_DATABASE__URL/)
})

t.test('files', async (t) => {
  for (const code of ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOENT', 'EEXIST', 'ENOTDIR']) {
    t.match(explainFailure(systemError(code, { path: '/data/x' })), /\n\/data\/x .*\.$/, code)
  }
  t.match(explainFailure(systemError('ENOENT')), /^Error: it says ENOENT\n {4}at /, 'no file is known')
  t.match(explainFailure(systemError('ECONNREFUSED', { path: '/tmp/.s.PGSQL.5432' })), /Nothing listens/)
  const file = join(t.testdir(), 'file')
  writeFileSync(file, '')
  const error = await openLayout(join(file, 'postgres')).catch((error: unknown) => error)
  t.match(explainFailure(error), /file.*a part of the path is a file, not a directory/s)
})

t.test('the database', async (t) => {
  const cases = {
    '28P01': /refuses the user name or the password/,
    '28000': /pg_hba\.conf/,
    '3D000': /CREATE DATABASE/,
    '42501': /owner of the database/,
    '53300': /max_connections/,
    '53100': /disk of the server is full/,
    '57P03': /starting up/,
    ECONNREFUSED: /start PostgreSQL/,
    ENOSPC: /disk of the server is full/,
    ENOTFOUND: /no address.*fix DNS/,
    EAI_AGAIN: /no address.*fix DNS/,
    ETIMEDOUT: /firewalls/,
    EHOSTUNREACH: /firewalls/,
    ENETUNREACH: /firewalls/,
    HOSTNAME_MISMATCH: /APP_DATABASE__TLS_CA_FILE/,
    ERR_TLS_CERT_ALTNAME_INVALID: /APP_DATABASE__TLS_CA_FILE/,
    ERR_SSL_WRONG_VERSION_NUMBER: /APP_DATABASE__TLS_CA_FILE/,
    SELF_SIGNED_CERT_IN_CHAIN: /APP_DATABASE__TLS_CA_FILE/,
  }
  for (const [code, advice] of Object.entries(cases)) t.match(explainFailure(systemError(code)), advice, code)
  t.match(explainFailure(new Error('The server does not support SSL connections')), /APP_DATABASE__TLS=off/)
  for (const message of ['timeout expired', 'timeout exceeded when trying to connect']) {
    t.match(explainFailure(new Error(message)), `${message}\nThe server does not answer`)
  }
  t.match(explainFailure(new Error('SASL: no password')), /^SASL: no password\n.*put one into/)
  const unusable = new UnusableSession('set this')
  t.equal(explainFailure(unusable), 'set this\nDo what it says (docs/operations/database.md).')
  const several = new AggregateError([systemError('ECONNREFUSED'), systemError('ETIMEDOUT')])
  t.match(explainFailure(several), /^it says ECONNREFUSED\nit says ETIMEDOUT\nNothing listens/)
  t.match(
    explainFailure(new AggregateError([systemError('ECONNREFUSED')])),
    /^it says ECONNREFUSED\nNothing listens/,
  )
  const unforeseen = Object.assign(new Error('some words'), { severity: 'ERROR', code: 'XX000' })
  t.equal(explainFailure(unforeseen), 'some words')
})

t.test('an error that nobody foresaw comes with its stack', async (t) => {
  t.match(explainFailure(new TypeError('x is not a function')), /^TypeError: x is not a function\n {4}at /)
})

t.test('what the programs of the embedded PostgreSQL say', async (t) => {
  const other =
    'FATAL:  database files are incompatible with server\nDETAIL:  The data directory was initialized by PostgreSQL version 15'
  t.match(explainOutput(other), /another version of PostgreSQL\. Dump them/)
  t.match(explainOutput('FATAL: could not write: No space left on device\n'), /device\nThe disk is full/)
  t.match(explainOutput('initdb: error: could not access directory: Permission denied'), /chown -R/)
  t.match(explainOutput('PANIC: could not locate a valid checkpoint record'), /restore a backup/)
  t.equal(explainOutput(' other\n'), 'other')
})
