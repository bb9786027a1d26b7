import t, { type Test } from 'tap'
import { unavailable } from '#lib/database/errors.ts'
import type { Position } from '#lib/database/replicas/primary-position.ts'
import { Replica, ReplicaBehind, type ReplicaState } from '#lib/database/replicas/replica.ts'
import { Replicas, type ReplicasOptions } from '#lib/database/replicas/replicas.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createEmptyDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'

const CALLER = { isGone: () => false, onGone: () => () => undefined }
const SINCE = '2026-01-01T00:00:00Z'
const NOW = Date.parse('2026-01-01T00:01:00Z')

/** A database that says of itself what the test wants, as a standby would. */
async function standby(t: Test) {
  const db = await createEmptyDatabase(t)
  // In this database alone: the server's own functions have other names in it.
  await db.querySuper('SET allow_system_table_mods = on')
  await db.querySuper('CREATE TABLE said (standby boolean, lsn pg_lsn, at timestamptz)')
  await db.querySuper('GRANT SELECT ON said TO PUBLIC')
  await db.querySuper('INSERT INTO said VALUES (true, NULL, NULL)')
  for (const [name, type, column] of [
    ['pg_is_in_recovery', 'boolean', 'standby'],
    ['pg_last_wal_replay_lsn', 'pg_lsn', 'lsn'],
    ['pg_last_xact_replay_timestamp', 'timestamptz', 'at'],
  ]) {
    await db.querySuper(`ALTER FUNCTION ${name}() RENAME TO ${name}_of_the_server`)
    await db.querySuper(
      `CREATE FUNCTION pg_catalog.${name}() RETURNS ${type} STABLE LANGUAGE sql
       RETURN (SELECT ${column} FROM public.said)`,
    )
  }
  const say = (is: boolean, lsn: string | null, at: string | null) =>
    db.querySuper('UPDATE said SET standby = $1, lsn = $2, at = $3', [is, lsn, at])
  return { db, say }
}

/** A replica that is looked at; `position` is the primary's. */
async function replicaOf(t: Test, url: string, position: { at: Position | undefined }, patience = 5) {
  const changes: (readonly [ReplicaState | undefined, ReplicaState, boolean])[] = []
  const replica: Replica = new Replica({
    connection: connectionTo(url, { application_name: 'groundwork-replica' }),
    maxConnections: 4,
    idleTimeout: 60_000,
    patience,
    position: { read: async () => position.at ?? Promise.reject(new Error('the primary is away')) },
    observer: {
      queried: () => undefined,
      waited: () => undefined,
      repeated: () => undefined,
      cancelled: () => undefined,
    },
    changed: (one, previous, error) => changes.push([previous, one.state, error !== undefined]),
  })
  t.teardown(() => replica.close().catch(() => undefined))
  return { replica, changes }
}

const BEHIND = { message: /has not reached the primary's position$/ }
const ONE = { name: 'one', text: 'SELECT 1 AS one' }
const later = () => performance.now() + 60_000

t.test('a standby that has all of the primary is up, and others are not', async (t) => {
  const { db, say } = await standby(t)
  const position = { at: { lsn: '16/B0', since: SINCE, now: NOW } as Position | undefined }
  const { replica, changes } = await replicaOf(t, db.url, position)
  const { hostname, port } = new URL(db.url)
  t.equal(replica.name, `${hostname}:${port}`)
  t.equal(replica.state, 'down', 'before it was looked at')
  t.equal(replica.lagSeconds, undefined)
  await say(true, '16/B0', '2026-01-01T00:00:30Z')
  replica.start()
  replica.start()
  const becomes = async (state: ReplicaState) => eventually(async () => replica.state === state)
  await becomes('up')
  t.equal(replica.lagSeconds, 0)
  t.strictSame(await replica.query(ONE, { lsn: '16/B0', since: SINCE, now: NOW }, later(), CALLER), [
    { one: 1 },
  ])

  await say(true, '16/AF', '2026-01-01T00:00:30Z')
  await becomes('behind')
  t.equal(replica.lagSeconds, 30)
  await say(true, '16/AF', '2026-01-01T00:02:00Z')
  await eventually(async () => replica.lagSeconds === 0)
  await say(true, '16/AF', null)
  await eventually(async () => replica.lagSeconds === undefined)
  await say(false, '16/B0', '2026-01-01T00:00:30Z')
  await becomes('not_standby')
  // One that the new primary has left behind is further in a log that nobody follows.
  await say(true, '17/00', SINCE)
  await becomes('behind')
  await say(true, '16/B1', '2026-01-01T00:00:01Z')
  await becomes('up')
  t.strictSame(
    changes.map(([previous, state]) => [previous, state]),
    [
      [undefined, 'up'],
      ['up', 'behind'],
      ['behind', 'not_standby'],
      ['not_standby', 'behind'],
      ['behind', 'up'],
    ],
  )
  position.at = undefined
  await say(false, null, null)
  const before = replica.state
  await new Promise((resolve) => setTimeout(resolve, 600))
  t.equal(replica.state, before, 'without the primary nothing is known')
})

t.test('a read waits for the position, and not for ever', async (t) => {
  const { db, say } = await standby(t)
  const at = { lsn: '16/B0', since: SINCE, now: NOW }
  const { replica } = await replicaOf(t, db.url, { at })
  await say(true, '16/A0', '2026-01-01T00:00:30Z')
  const gone = performance.now() - 1
  await t.rejects(replica.query(ONE, at, gone, CALLER), BEHIND)
  await t.rejects(replica.query(ONE, at, gone, CALLER), BEHIND, 'asked before it is read')
  const waiting = replica.query(ONE, at, later(), CALLER)
  await eventually(async () => replica.load === 1)
  await say(true, '16/B0', '2026-01-01T00:00:30Z')
  t.strictSame(await waiting, [{ one: 1 }])
  t.equal(replica.load, 0)
  for (let time = 0; time < 2; time++) t.strictSame(await replica.query(ONE, at, gone, CALLER), [{ one: 1 }])
  await t.rejects(replica.query({ name: 'bad', text: 'SELECT 1 / 0' }, at, gone, CALLER), {
    message: /cannot store/,
  })
  t.equal(replica.load, 0)
  await say(false, '16/B0', '2026-01-01T00:00:30Z')
  await t.rejects(replica.query(ONE, at, later(), CALLER), BEHIND, 'one that was promoted')
})

t.test('one that is gone ends its reads, and is tried again', async (t) => {
  const { db, say } = await standby(t)
  const at = { lsn: '16/B0', since: SINCE, now: NOW }
  await say(true, '16/B0', '2026-01-01T00:00:30Z')
  const { replica, changes } = await replicaOf(t, db.url, { at })
  replica.start()
  await eventually(async () => replica.state === 'up')
  const reading = [0, 1].map(() =>
    replica.query({ name: 'long', text: 'SELECT pg_sleep(60)' }, at, later(), CALLER),
  )
  const ended = Promise.all(reading.map((read) => t.rejects(read, { message: /cannot reach its database/ })))
  const backends = `FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
  await eventually(
    async () => (await db.querySuper(`SELECT ${backends} AND query LIKE 'SELECT pg_sleep%'`)).length === 2,
  )
  await db.querySuper('UPDATE pg_database SET datallowconn = false WHERE datname = current_database()')
  await db.querySuper(`SELECT pg_terminate_backend(pid) ${backends} AND query LIKE 'SELECT pg_sleep%'`)
  await ended
  t.match(changes.at(-1), ['up', 'down', true])
  t.equal(replica.lagSeconds, undefined)
  await db.querySuper('UPDATE pg_database SET datallowconn = true WHERE datname = current_database()')
  await eventually(async () => replica.state === 'up')
  const read = () => replica.query(ONE, at, later(), CALLER).catch(() => [])
  await eventually(async () => (await read()).length === 1)
  const ours = `SELECT pg_terminate_backend(pid) ${backends} AND application_name = 'groundwork-replica'`
  t.ok((await db.querySuper(ours)).length > 0, 'connections that nobody uses are lost')
  await eventually(async () => (await read()).length === 1)
  await replica.close()
  await eventually(
    async () =>
      (await db.querySuper(`SELECT ${backends} AND application_name = 'groundwork-replica'`)).length === 0,
  )
  const count = changes.length
  await t.rejects(replica.query(ONE, at, later(), CALLER))
  t.equal(changes.length, count, 'a replica that is closed does not change')
})

t.test('which replica answers, and when the primary does', async (t) => {
  const at = { lsn: '16/B0', since: SINCE, now: NOW }
  const asked: string[] = []
  const told: string[] = []
  let failing: Record<string, unknown> = {}
  const replica = (
    name: string,
    state: ReplicaState = 'up',
    load = 0,
  ): ReplicasOptions['replicas'][number] => ({
    name,
    state,
    load,
    async query<Row extends object>() {
      asked.push(name)
      if (name in failing) throw failing[name]
      const rows: Row[] = []
      return rows
    },
    start: () => void asked.push(`start ${name}`),
    close: async () => void asked.push(`close ${name}`),
  })
  const rig = (replicas: ReplicasOptions['replicas'], { patience = 60_000, away = false } = {}) => {
    let questions = 0
    const options: ReplicasOptions = {
      primary: Object.assign(Object.create(null), {
        forCaller: () => ({
          query: async () => [{ primary: true }],
          transaction: async (work: (db: unknown) => unknown) => work('transaction'),
        }),
      }),
      position: {
        async read() {
          questions++
          if (away) throw new Error('the primary is away')
          return at
        },
      },
      replicas,
      patience,
      served: ({ name }) => void told.push(`served ${name}`),
      fellBack: (reason) => void told.push(reason),
    }
    return { replicas: new Replicas(options), questions: () => questions }
  }
  const ask = async (replicas: Replicas, isGone = false) => {
    const rows = await replicas.forCaller({ ...CALLER, isGone: () => isGone }).query(ONE)
    return [rows.length === 1 ? 'primary' : 'replica', asked.splice(0).join(), told.splice(0).join()]
  }
  const all = [replica('a'), replica('b'), replica('c', 'behind'), replica('d', 'up', 3)]
  const { replicas, questions } = rig(all)
  replicas.start()
  t.strictSame(asked.splice(0), ['start a', 'start b', 'start c', 'start d'])
  const first = await Promise.all([ask(replicas)])
  t.strictSame(first, [['replica', 'b', 'served b']], 'each in its turn, of those with the least to do')
  t.strictSame((await ask(replicas))[1], 'a')
  t.strictSame((await ask(replicas))[1], 'a')
  t.strictSame((await ask(replicas))[1], 'b')

  failing = { a: new ReplicaBehind(), b: unavailable(new Error('it is gone')), d: new ReplicaBehind() }
  t.match(await ask(replicas), ['primary', /d$/, 'behind'], 'all that are up are asked')
  for (const [error, reason] of [
    [unavailable(new Error('it is gone')), 'failed'],
    [new ReplicaBehind(), 'behind'],
  ] as const) {
    failing = { a: error }
    t.strictSame(await ask(rig([replica('a')]).replicas), ['primary', 'a', reason])
  }
  failing = { b: new Error('a mistake in the statement') }
  await t.rejects(ask(rig([replica('a'), replica('b')]).replicas), { message: 'a mistake in the statement' })
  asked.length = 0
  failing = { a: new ReplicaBehind(), b: new ReplicaBehind() }
  t.match(await ask(rig([replica('a'), replica('b')], { patience: -1 }).replicas), [
    'primary',
    /^[ab]$/,
    'behind',
  ])
  t.strictSame(await ask(rig([replica('c', 'down')]).replicas), ['primary', '', 'none_up'])
  t.strictSame(await ask(rig([]).replicas), ['primary', '', 'none_up'])
  t.strictSame(await ask(rig([replica('e')], { away: true }).replicas), ['primary', '', 'no_position'])
  await t.rejects(ask(rig([]).replicas, true))
  t.strictSame(told.splice(0), [], 'nor is the primary asked for one that has left')

  failing = {}
  const before = questions()
  const one = replicas.forCaller(CALLER)
  await one.query(ONE)
  await one.query(ONE)
  t.equal(questions() - before, 1, 'a request has one position')
  t.equal(await one.transaction(async (db) => db), 'transaction')
  await one.query(ONE)
  t.equal(questions() - before, 2, 'until it writes')
  asked.length = 0
  await replicas.close()
  t.strictSame(asked, ['close a', 'close b', 'close c', 'close d'])
})
