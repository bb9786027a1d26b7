import pg from 'pg'
import t, { type Test } from 'tap'
import { buildApp } from '#app.ts'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { PoolDatabase } from '#lib/database/pool-database.ts'
import { awaitPosition } from '#lib/database/replicas/sight.ts'
import type { DatabaseObserver } from '#lib/database/run.ts'
import { eventually } from '#test/support/eventually.ts'
import { testConfig } from '#test/support/helper.ts'
import { call, registration } from '#test/support/http.ts'
import { startPgBouncer, WITHOUT_PGBOUNCER } from '#test/support/pgbouncer.ts'
import { startService } from '#test/support/process.ts'
import { startPostgres } from './postgres.ts'
import { type FaultyReplica, startReplicas } from './replica.ts'
import { assertUnharmed, type Rig, ready, startRig } from './rig.ts'

// Three servers and two instances, on a machine that may be busy.
t.setTimeout(600_000)

/** Long enough that a busy machine's standby is in time; a test that needs it to be late stops it altogether. */
const PATIENCE = { APP_DATABASE__REPLICA_PATIENCE: '5s' }

const SILENT: DatabaseObserver = {
  queried: () => undefined,
  waited: () => undefined,
  repeated: () => undefined,
  cancelled: () => undefined,
}

interface Scene extends Rig {
  readonly replicas: readonly [FaultyReplica, FaultyReplica]
  readonly first: string
  readonly second: string
}

t.test('lists from replicas hold what was written before, whatever happens to them', async (t) => {
  const scene = await startScene(t)
  const { replicas, services, urls } = scene
  const [one, two] = replicas
  const up = async (...names: FaultyReplica[]) => {
    for (const replica of replicas) {
      const state = names.includes(replica) ? 1 : 0
      for (const url of urls) await eventually(async () => (await isUp(url, replica)) === state)
    }
  }
  await up(one, two)

  await t.test('both are read from', async (t) => {
    await writeAndList(t, scene, 30)
    for (const { name } of replicas) t.ok(await readsOf(scene, name), `from ${name}`)
  })

  await t.test('one falls behind: the other is read from', async (t) => {
    await one.pause()
    await writeAndList(t, scene, 2)
    await up(two)
    const before = await readsOf(scene, two.name)
    await writeAndList(t, scene, 10)
    t.ok((await readsOf(scene, two.name)) > before)
  })

  await t.test('both fall behind: the primary is read from', async (t) => {
    await two.pause()
    await writeAndList(t, scene, 2)
    await up()
    const before = await fallbacks(scene, 'none_up')
    await writeAndList(t, scene, 10)
    t.ok((await fallbacks(scene, 'none_up')) >= before + 10)
    for (const url of urls) await ready(url)
    await Promise.all(replicas.map((replica) => replica.resume()))
    await up(one, two)
    await writeAndList(t, scene, 5)
  })

  await t.test('they crash while they are read from, and come back', async (t) => {
    const reading = readUntil(scene, async () => {
      await one.crash()
      await two.crash()
      await up()
      await one.restart()
      await two.restart()
      await up(one, two)
    })
    t.same([...(await reading)], [200], 'no request fails')
    for (const url of urls) await ready(url)
    await writeAndList(t, scene, 5)
  })

  await t.test('one hangs: nobody waits for it', async (t) => {
    const reading = readUntil(scene, async () => {
      one.proxy.hang()
      await up(two)
      await one.proxy.restore()
      await up(one, two)
    })
    t.same([...(await reading)], [200], 'no request fails')
  })

  await t.test('one is promoted by mistake: it is left alone', async (t) => {
    await one.query('SELECT pg_promote()')
    await writeAndList(t, scene, 5)
    await up(two)
    await writeAndList(t, scene, 5)
  })

  await t.test('it becomes the primary: nothing is read from what the old one has left', async (t) => {
    const { postgres } = scene
    await postgres.crash()
    postgres.proxy.retarget(one.direct())
    for (const url of urls) await eventually(async () => (await writes(url)) === 201)
    await up()
    await writeAndList(t, scene, 5)
  })
  assertUnharmed(t, services)
})

t.test('a read that stands in the way of what is replayed is repeated on the primary', async (t) => {
  const postgres = await startPostgres(t)
  const [replica] = await startReplicas(t, postgres, { max_standby_streaming_delay: '0' })
  const config = testConfig(postgres.url, {
    APP_ROLE: 'web',
    APP_DATABASE__REPLICA_URLS: replica.url,
    APP_DATABASE__STATEMENT_TIMEOUT: '5m',
    APP_DATABASE__QUERY_TIMEOUT: '6m',
    ...PATIENCE,
  })
  const app = await buildApp(config, { logger: false })
  t.teardown(() => app.close())
  const count = async (series: string) => sum([await app.metrics.metrics()], series)
  await app.db.query({ name: 'createThings', text: 'CREATE TABLE things AS SELECT 1 AS id' })
  await eventually(async () => (await count(`db_replica_state{replica="${replica.name}",state="up"}`)) === 1)

  // Holds a lock on the table for as long as it takes, on a standby.
  const reading = app.replicas?.forCaller({ isGone: () => false, onGone: () => () => undefined }).query({
    name: 'countSlowly',
    text: `SELECT count(*)::integer AS things, CASE WHEN pg_is_in_recovery() THEN pg_sleep(600)::text END
           FROM things`,
  })
  const sleeping = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
  await eventually(async () => (await replica.query(sleeping)).length === 1)
  await app.db.query({ name: 'changeThings', text: 'ALTER TABLE things ADD COLUMN name text' })
  t.match(await reading, [{ things: 1 }])
  t.equal(await count('db_replica_fallbacks_total{reason="conflict"}'), 1)
})

t.test('a pooler before a replica', { skip: WITHOUT_PGBOUNCER }, async (t) => {
  const postgres = await startPostgres(t)
  const [replica] = await startReplicas(t, postgres)
  const pooled = await startPgBouncer(t, replica.direct(), { mode: 'transaction' })
  const config = testConfig(postgres.url, {
    APP_ROLE: 'web',
    APP_DATABASE__REPLICA_URLS: pooled,
    ...PATIENCE,
  })
  const app = await buildApp(config, { logger: false })
  t.teardown(() => app.close())
  const count = async (series: string) => sum([await app.metrics.metrics()], series)
  const name = new URL(pooled).host
  await eventually(async () => (await count(`db_replica_state{replica="${name}",state="up"}`)) === 1)
  const caller = { isGone: () => false, onGone: () => () => undefined }
  const ask = () =>
    app.replicas?.forCaller(caller).query({ name: 'whereAmI', text: 'SELECT pg_is_in_recovery() AS standby' })
  const answers = await Promise.all(Array.from({ length: 20 }, ask))
  t.ok((await count(`db_replica_reads_total{replica="${name}"}`)) > 0)
  t.ok(answers.flat().some((row) => row !== undefined && 'standby' in row && row.standby === true))
})

t.test('being far in the log is not enough: it must be the log of the primary of now', async (t) => {
  const postgres = await startPostgres(t)
  const [replica] = await startReplicas(t, postgres)
  const config = testConfig(replica.url, { APP_ROLE: 'web', APP_DATABASE__MIGRATE_ON_START: 'false' })
  const pool = new pg.Pool(await connectionOptions(config.database))
  t.teardown(() => pool.end())
  const db = new PoolDatabase(pool, SILENT)
  await postgres.query('CREATE TABLE things (id integer)')
  const at = (since: string) => awaitPosition(db, { lsn: '0/1', since, now: Date.now() })
  await eventually(async () => (await at('2000-01-01T00:00:00Z')).is_current)
  t.match(await at('2100-01-01T00:00:00Z'), { is_standby: true, is_current: false })
})

async function startScene(t: Test): Promise<Scene> {
  const rig = await startRig(t)
  const replicas = await startReplicas(t, rig.postgres)
  for (const url of rig.urls) await ready(url)
  const env = {
    APP_DATABASE__URL: rig.postgres.url,
    APP_DATABASE__REPLICA_URLS: replicas.map(({ url }) => url).join(','),
    APP_ROLE: 'web',
    ...PATIENCE,
  }
  const services = await Promise.all([startService(t, env), startService(t, env)])
  const urls = services.map(({ url }) => url)
  const [first = '', second = ''] = urls
  return { ...rig, services, urls, replicas, first, second }
}

/** The status of a registration. */
async function writes(url: string): Promise<number> {
  return (await call(`${url}/api/v1/users`, { method: 'POST', json: registration() })).status
}

/** Creates users by one instance and lists them by the other: the newest is always the one just created. */
async function writeAndList(t: Test, { first, second, admin }: Scene, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const created = await call(`${first}/api/v1/users`, { method: 'POST', json: registration() })
    const listed = await call(`${second}/api/v1/users?limit=1`, { token: admin.token })
    t.equal(created.status, 201)
    t.equal(listed.status, 200)
    t.match(JSON.parse(listed.text), { data: [{ id: JSON.parse(created.text).id }] })
  }
}

/** Lists without end while `work` goes on; returns the statuses that were seen. */
async function readUntil({ urls, admin }: Scene, work: () => Promise<void>): Promise<Set<number>> {
  const statuses = new Set<number>()
  let isDone = false
  const read = async (url: string) => {
    while (!isDone) statuses.add((await call(`${url}/api/v1/users`, { token: admin.token })).status)
  }
  const readers = urls.map(read)
  try {
    await work()
  } finally {
    isDone = true
    await Promise.all(readers)
  }
  return statuses
}

async function isUp(url: string, { name }: FaultyReplica): Promise<number> {
  return sum([await metrics(url)], `db_replica_state{replica="${name}",state="up"}`)
}

async function readsOf({ urls }: Scene, name: string): Promise<number> {
  return sum(await Promise.all(urls.map(metrics)), `db_replica_reads_total{replica="${name}"}`)
}

async function fallbacks({ urls }: Scene, reason: string): Promise<number> {
  return sum(await Promise.all(urls.map(metrics)), `db_replica_fallbacks_total{reason="${reason}"}`)
}

async function metrics(url: string): Promise<string> {
  return (await call(`${url}/metrics`)).text
}

/** The sum of a series over some instances. */
function sum(texts: readonly string[], series: string): number {
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line.startsWith(`${series} `)))
  return lines.reduce((total, line) => total + Number(line.slice(series.length)), 0)
}
