import t, { type Test } from 'tap'
import { backUp } from '#lib/backup/backup.ts'
import { DirectoryStore } from '#lib/backup/directory-store.ts'
import { refusePooler } from '#lib/backup/postgres-tools.ts'
import { restore } from '#lib/backup/restore.ts'
import { Session } from '#lib/database/session.ts'
import { withMigrationLock } from '#lib/migrations/session.ts'
import { LocalStore } from '#lib/object-store/local-store.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { type Said, startFakePostgres } from '#test/support/fake-postgres.ts'

const OPENED = {
  replication_role: 'origin',
  encoding: 'UTF8',
  limit_before: '0',
  limit_after: '0',
}
const LOCK = /^SELECT (pg_try_advisory\w+)\(\d+\) AS locked$/
const POOLER = { name: 'BackupError', message: /There is a pooler before PostgreSQL/ }

/** A server, behind a pooler or not, whose lock others hold for the first `held` questions. */
async function server(
  t: Test,
  { direct, held = 0, second }: { direct: boolean; held?: number; second?: Said },
) {
  let left = held
  let logins = 0
  const asked: string[] = []
  const { url } = await startFakePostgres(t, (text) => {
    if (text.includes('AS direct')) {
      logins++
      return [{ ...OPENED, direct }]
    }
    // What a login asks for behind a pooler.
    if (text === 'BEGIN') return []
    if (text.includes('FROM pg_settings'))
      return [{ settings: { extra_float_digits: '1' }, schemas: ['public'] }]
    asked.push(LOCK.exec(text)?.[1] ?? text)
    if (LOCK.test(text)) return [{ locked: left-- <= 0 }]
    return text === 'SELECT 1' && second !== undefined ? second : []
  })
  const said: string[] = []
  const options = {
    connection: connectionTo(url, { connectionTimeoutMillis: 7000 }),
    directory: '/nowhere',
    log: (line: string) => said.push(line),
  }
  return {
    url,
    options,
    said,
    logins: () => logins,
    /** Statements after the logins, each of which rolls back once behind a pooler. */
    asked: () => asked.splice(0).slice(direct ? 0 : logins),
  }
}

const BEGIN = 'BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0'
const TRANSACTION_LOCK = 'pg_try_advisory_xact_lock'

t.test('the lock of migrations is the session’s, where it is our own', async (t) => {
  const { options, said, asked, logins } = await server(t, { direct: true, held: 1 })
  t.equal(
    await withMigrationLock(options, async (client) => client.query('SELECT 2').then(() => 'done')),
    'done',
  )
  t.strictSame(asked(), ['pg_try_advisory_lock', 'pg_try_advisory_lock', 'SELECT 2'])
  t.strictSame(said, ['Waiting for another instance that migrates the database'])
  t.equal(logins(), 1)
})

t.test('behind a pooler a transaction has it that others’ connections do not see', async (t) => {
  const { options, said, asked, logins } = await server(t, { direct: false, held: 1 })
  const work = async (client: Pick<Session, 'query'>) => client.query('SELECT 2').then(() => 'done')
  t.equal(await withMigrationLock(options, work), 'done')
  const attempt = [BEGIN, TRANSACTION_LOCK]
  t.strictSame(asked(), [...attempt, 'ROLLBACK', ...attempt, 'SELECT 1', 'SELECT 2', 'ROLLBACK'])
  t.strictSame(said, ['Waiting for another instance that migrates the database'])
  t.equal(logins(), 2, 'one holds the lock, and one migrates')
})

t.test('what fails behind a pooler releases the lock', async (t) => {
  const { options, said, asked } = await server(t, { direct: false })
  const failure = new Error('a migration failed')
  await t.rejects(
    withMigrationLock(options, () => Promise.reject(failure)),
    failure,
  )
  t.strictSame(asked(), [BEGIN, TRANSACTION_LOCK, 'SELECT 1', 'ROLLBACK'])
  t.strictSame(said, [])
  const alone = await server(t, {
    direct: false,
    second: { code: '08P01', message: 'query_wait_timeout' },
  })
  const work = async () => t.fail('it has no connection')
  await t.rejects(withMigrationLock(alone.options, work), {
    name: 'UnusableSession',
    message: /^migrations need two connections at once.* within 7000 ms: raise default_pool_size/,
    cause: { message: 'query_wait_timeout' },
  })
  t.strictSame(alone.asked(), [BEGIN, TRANSACTION_LOCK, 'SELECT 1', 'ROLLBACK'])
})

t.test('PostgreSQL’s programs are not let near a pooler', async (t) => {
  const pooled = await server(t, { direct: false })
  const direct = await server(t, { direct: true })
  for (const [{ url }, refuses] of [
    [pooled, true],
    [direct, false],
  ] as const) {
    const client = new Session(connectionTo(url))
    await client.connect()
    if (refuses) t.throws(() => refusePooler(client), POOLER)
    else refusePooler(client)
    await client.end()
  }
  const manifest = {
    format: 1,
    created_at: '2026-11-30T10:00:00.000Z',
    service_version: '1.0.0',
    migration_version: 0,
    postgres_version: '18.0',
    database: { name: 'things', size: 1 },
    dump: { file: 'things-20261130T100000Z.dump', size: 1, sha256: 'a'.repeat(64) },
    tables: [],
  }
  const place = t.testdir({
    'things-20261130T100000Z.dump': 'x',
    'things-20261130T100000Z.json': JSON.stringify(manifest),
    migrations: {},
  })
  const { connection, log } = pooled.options
  const common = { connection, tls: { tls: 'off' }, store: new DirectoryStore(place), log } as const
  const contents = new LocalStore(place)
  const inventory = async function* () {}
  pooled.asked()
  await t.rejects(backUp({ ...common, contents, inventory, serviceVersion: '1.0.0' }), POOLER)
  await t.rejects(restore({ ...common, migrations: `${place}/migrations` }), POOLER)
  t.notMatch(pooled.asked().join(), /SELECT|DROP/, 'nothing is asked for')
})
