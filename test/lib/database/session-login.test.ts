import t, { type Test } from 'tap'
import { DatabaseUnavailable, databaseError } from '#lib/database/errors.ts'
import { type ConnectionOptions, prepares, Session } from '#lib/database/session.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { eventually } from '#test/support/eventually.ts'
import { FAKE_PROCESS, type FakePostgres, type Said, startFakePostgres } from '#test/support/fake-postgres.ts'

const LIMITS = { statement_timeout: 10_000, lock_timeout: 5000, idle_in_transaction_session_timeout: 7000 }

/** The settings of a session behind a pooler that are as they must be. */
const SETTINGS = {
  statement_timeout: '10000',
  lock_timeout: '5000',
  idle_in_transaction_session_timeout: '7000',
  search_path: 'public',
  bytea_output: 'hex',
  extra_float_digits: '1',
  IntervalStyle: 'postgres',
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  row_security: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  idle_session_timeout: '0',
  transaction_timeout: '0',
}

const OPENED = {
  direct: true,
  replication_role: 'origin',
  encoding: 'UTF8',
  limit_before: '0',
  limit_after: '10s',
}
const POOLED = { ...OPENED, direct: false }
const CANCELED = { code: '57014', message: 'canceling statement due to statement timeout' }

/** Answers of a server, in the order in which it is asked; nothing beyond that. */
interface Talk {
  readonly opened?: Said[]
  /** Answers to each `SET statement_timeout`. */
  readonly limits?: Said[]
  readonly begin?: Said
  readonly settings?: Record<string, string>
  readonly schemas?: string[]
  readonly tracked?: Said
}

/** Connects to a server that talks so; `error` is why that failed. */
async function connect(t: Test, talk: Talk, options: Partial<ConnectionOptions> = {}) {
  const opened = [...(talk.opened ?? [[OPENED]])]
  const limits = [...(talk.limits ?? [])]
  const says: readonly [part: string, said: () => Said | undefined][] = [
    ['AS direct', () => opened.shift()],
    ['SET statement_timeout', () => limits.shift()],
    ['BEGIN', () => talk.begin],
    [
      'FROM pg_settings',
      () => [{ settings: talk.settings ?? SETTINGS, schemas: talk.schemas ?? ['public'] }],
    ],
    ['pg_prepared_statements', () => talk.tracked],
  ]
  const server = await startFakePostgres(t, (text) => says.find(([part]) => text.includes(part))?.[1]() ?? [])
  const client = new Session(connectionTo(server.url, { ...LIMITS, ...options }))
  client.on('error', () => undefined)
  t.teardown(() => client.end())
  const error: unknown = await client.connect().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return { client, server, error }
}

/** The statements after the first, which is the same for all. */
const later = ({ asked }: FakePostgres) => asked.slice(1).map((text) => text.trim().split('\n')[0])

const SET = 'SET statement_timeout = 10000'
const LOOK =
  'SELECT current_schemas(false)::text[] AS schemas, (SELECT json_object_agg(name, setting) FROM pg_settings'

t.test('a session says who it is, and how it means what it sends', async (t) => {
  const { client, server, error } = await connect(t, {})
  t.equal(error, undefined)
  t.strictSame(server.startup, {
    user: 'somebody',
    database: 'things',
    application_name: 'groundwork-test',
    DateStyle: 'ISO, MDY',
    TimeZone: 'UTC',
    standard_conforming_strings: 'on',
    client_encoding: 'UTF8',
  })
  const [text = '', ...others] = server.asked
  t.strictSame(others, [], 'one round trip')
  for (const [name, value] of Object.entries(SETTINGS)) {
    const set =
      `CASE WHEN pg_backend_pid() = ${FAKE_PROCESS} AND current_setting('${name}', true) IS NOT NULL ` +
      `THEN set_config('${name}', '${value}', false) END`
    t.ok(text.includes(set), name)
  }
  t.strictSame(
    [client.isPooled, client.differing, client.prepares, prepares(client)],
    [false, [], true, true],
  )
  t.equal(prepares({}), true, 'any other connection may prepare')
})

t.test('statements are prepared by name where that is said, or nothing is between', async (t) => {
  const tracked = [{ is_ours: false }]
  const rows: [said: object, setting: boolean | 'auto', prepares: boolean][] = [
    [OPENED, 'auto', true],
    [OPENED, true, true],
    [OPENED, false, false],
    [POOLED, 'auto', false],
    [POOLED, true, true],
    [POOLED, false, false],
  ]
  for (const [said, prepared_statements, expected] of rows) {
    const opened = [[{ ...OPENED, ...said }]]
    const { client, server, error } = await connect(t, { opened, tracked }, { prepared_statements })
    const name = JSON.stringify([said === POOLED, prepared_statements])
    t.equal(error, undefined, name)
    t.equal(client.prepares, expected, name)
    t.equal(client.isPooled, said === POOLED, name)
    const isAsked = server.asked.some((text) => text.includes('pg_prepared_statements'))
    t.equal(isAsked, said === POOLED && prepared_statements === true, name)
  }
})

t.test('a limit of the role is replaced twice, and may end what replaces it', async (t) => {
  const rows: [name: string, talk: Talk, asked: string[]][] = [
    ['none', { opened: [[OPENED]] }, []],
    ['ours', { opened: [[{ ...OPENED, limit_before: '10s' }]] }, []],
    ['another', { opened: [[{ ...OPENED, limit_before: '1ms' }]] }, [SET, SET]],
    ['one that was over', { opened: [CANCELED, [OPENED]] }, [SET, SET, 'opened']],
    [
      'one that is over often',
      {
        opened: [CANCELED, [OPENED]],
        limits: [...Array<Said>(18).fill(CANCELED), [], []],
      },
      [...Array<string>(20).fill(SET), 'opened'],
    ],
  ]
  for (const [name, talk, asked] of rows) {
    const { server, error } = await connect(t, talk)
    t.equal(error, undefined, name)
    t.strictSame(
      later(server).map((text) => (text?.includes('AS direct') ? 'opened' : text)),
      asked,
      name,
    )
  }
  const never = await connect(t, { opened: [CANCELED], limits: Array<Said>(30).fill(CANCELED) })
  t.match(never.error, { code: CANCELED.code })
  t.equal(later(never.server).length, 20, 'it does not go on for ever')
  const other = { code: '53200', message: 'out of memory' }
  const failed = await connect(t, { opened: [CANCELED], limits: [other] })
  t.match(failed.error, { code: '53200' })
  t.strictSame(later(failed.server), [SET])
  t.strictSame(later((await connect(t, { opened: [other] })).server), [], 'nor after another error')
})

t.test('a session that cannot mean what we mean is refused, and ended', async (t) => {
  const rows: [talk: Talk, message: RegExp][] = [
    [
      { opened: [[{ ...OPENED, replication_role: 'local' }]] },
      /^session_replication_role is local.*ROLE somebody/,
    ],
    [{ opened: [[{ ...OPENED, encoding: 'LATIN1' }]] }, /^client_encoding is LATIN1, and must be UTF8$/],
    [{ opened: [[]] }, /^PostgreSQL says nothing of itself$/],
  ]
  for (const [talk, message] of rows) {
    const { server, error } = await connect(t, talk)
    t.match(error, { name: 'UnusableSession', message, reason: /not set up as the service needs it$/ })
    t.ok(databaseError(error) instanceof DatabaseUnavailable)
    await eventually(async () => server.sockets.size === 0)
  }
})

t.test(
  'behind a pooler nothing is set; what differs is told, and what changes a meaning is refused',
  async (t) => {
    const fine = await connect(t, { opened: [[POOLED]] })
    t.strictSame([fine.error, fine.client.isPooled, fine.client.differing], [undefined, true, []])
    t.strictSame(later(fine.server), ['BEGIN', LOOK, 'ROLLBACK'])
    const told: [name: string, value: string, differing: string[]][] = [
      ['statement_timeout', '0', ['statement_timeout = 0']],
      ['lock_timeout', '0', ['lock_timeout = 0']],
      ['idle_in_transaction_session_timeout', '1', ['idle_in_transaction_session_timeout = 1']],
      ['idle_session_timeout', '5000', ['idle_session_timeout = 5000']],
      ['transaction_timeout', '5000', ['transaction_timeout = 5000']],
      ['extra_float_digits', '3', []],
      ['search_path', '"$user", public', []],
    ]
    for (const [name, value, differing] of told) {
      const settings = { ...SETTINGS, [name]: value }
      const { client, error } = await connect(t, { opened: [[POOLED]], settings })
      t.strictSame([error, client.differing], [undefined, differing], name)
    }
    const refused = ['bytea_output', 'IntervalStyle', 'default_transaction_isolation', 'row_security']
    refused.push(
      'default_transaction_deferrable',
      'array_nulls',
      'transform_null_equals',
      'extra_float_digits',
    )
    for (const name of refused) {
      const settings = { ...SETTINGS, [name]: '-1' }
      const { error } = await connect(t, { opened: [[POOLED]], settings })
      const message = new RegExp(
        `^behind the pooler ${name} = -1: ALTER ROLE somebody SET ${name} = '[\\w ]+'$`,
      )
      t.match(error, { name: 'UnusableSession', message })
    }
    const { transaction_timeout, ...older } = SETTINGS
    t.ok(transaction_timeout)
    const before = await connect(t, { opened: [[POOLED]], settings: older })
    t.strictSame([before.error, before.client.differing], [undefined, []], 'PostgreSQL before 17')
    const several = { ...SETTINGS, array_nulls: 'off', bytea_output: 'escape', lock_timeout: '0' }
    t.match((await connect(t, { opened: [[POOLED]], settings: several })).error, {
      message:
        /^behind the pooler bytea_output = escape, array_nulls = off: .* SET bytea_output = 'hex', and SET array_nulls = 'on'$/,
    })
  },
)

t.test('behind a pooler only the schema public may be looked in', async (t) => {
  const settings = { ...SETTINGS, search_path: 'something' }
  const schemas: [schemas: string[], isRefused: boolean][] = [
    [['public'], false],
    [[], false],
    [['own', 'public'], true],
    [['own'], true],
  ]
  for (const [list, isRefused] of schemas) {
    const { error } = await connect(t, { opened: [[POOLED]], settings, schemas: list })
    if (isRefused)
      t.match(error, { message: /search_path = something: .* SET search_path = 'public'$/ }, `${list}`)
    else t.equal(error, undefined, `${list}`)
  }
})

t.test(
  'a pooler without transactions is refused, and a database that is away is another thing',
  async (t) => {
    const begin = { code: '08P01', message: 'transaction blocks not allowed in statement pooling mode' }
    const { error } = await connect(t, { opened: [[POOLED]], begin })
    t.match(error, {
      name: 'UnusableSession',
      message: /pool_mode = statement/,
      reason: 'the pooler before the database has no transactions',
      cause: { code: '08P01' },
    })
    const away = await connect(t, { opened: [[POOLED]], begin: { ...begin, message: 'server is away' } })
    t.match(away.error, { name: 'error', message: 'server is away' })
  },
)

t.test('a pooler must keep track of statements that are prepared by name', async (t) => {
  const options = { prepared_statements: true }
  const opened = [[POOLED]]
  const reason = 'the pooler before the database does not keep track of prepared statements'
  const untracked = await connect(t, { opened, tracked: [{ is_ours: true }] }, options)
  t.match(untracked.error, { name: 'UnusableSession', reason, message: /max_prepared_statements = 200/ })
  t.equal(untracked.server.asked.at(-1), 'DEALLOCATE groundwork_is_tracked', "the server is others' next")
  const left = await connect(t, { opened, tracked: { code: '42P05', message: 'already exists' } }, options)
  t.match(left.error, { name: 'UnusableSession', reason })
  const silent = await connect(t, { opened }, options)
  t.match(silent.error, { name: 'UnusableSession', reason })
  const failed = await connect(t, { opened, tracked: { code: '53200', message: 'out of memory' } }, options)
  t.match(failed.error, { code: '53200' })
})

t.test('a connection that is lost during the login fails it, and nothing else', async (t) => {
  const server: FakePostgres = await startFakePostgres(t, () => {
    for (const socket of server.sockets) socket.destroy()
    return []
  })
  // An error that nobody listens for would end the process.
  await t.rejects(new Session(connectionTo(server.url)).connect(), /Connection terminated/)
})

t.test('it can be opened as the pool does it', async (t) => {
  for (const opened of [[[OPENED]], [{ code: '28P01', message: 'no' }]]) {
    const server = await startFakePostgres(t, () => opened[0] ?? [])
    const client = new Session(connectionTo(server.url))
    client.on('error', () => undefined)
    const { promise, resolve } = Promise.withResolvers<unknown[]>()
    t.equal(
      client.connect((...outcome) => resolve(outcome)),
      undefined,
    )
    const outcome = await promise
    if (Array.isArray(opened[0])) t.strictSame(outcome, [null, client])
    else t.match(outcome, [{ code: '28P01' }])
    await client.end()
  }
})
