import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { buildApp } from '#app.ts'
import { PrimaryPosition } from '#lib/database/replicas/primary-position.ts'
import type { ReplicaState } from '#lib/database/replicas/replica.ts'
import { stateLog } from '#lib/database/replicas/state-log.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, testConfig } from '#test/support/helper.ts'

// Real standbys: test/faults/replicas.test.ts.

t.test('where no replica can be read from, the primary is', async (t) => {
  const { app: plain, db, signUp } = await createTestApp(t, { APP_ROLE: 'web' })
  t.equal(plain.replicas, undefined)
  const { headers } = await signUp()
  const primary = db.url.replace('127.0.0.1', 'localhost')
  const dead = db.url.replace(/@[^/]+/, '@127.0.0.1:1')
  const config = testConfig(db.url, {
    APP_ROLE: 'web',
    APP_DATABASE__REPLICA_URLS: `${primary},${dead}`,
  })
  const app = await buildApp(config, { logger: false })
  t.teardown(() => app.close())
  const value = async (series: string) => {
    const lines = (await app.metrics.metrics()).split('\n')
    return Number(lines.find((line) => line.startsWith(`${series} `))?.slice(series.length))
  }
  const { host } = new URL(primary)
  await eventually(async () => (await value(`db_replica_state{replica="${host}",state="not_standby"}`)) === 1)
  t.equal(await value('db_replica_state{replica="127.0.0.1:1",state="down"}'), 1)
  const reasons = ['none_up', 'behind', 'conflict', 'failed', 'no_position']
  for (const reason of reasons) t.equal(await value(`db_replica_fallbacks_total{reason="${reason}"}`), 0)
  for (const name of [host, '127.0.0.1:1']) {
    t.equal(await value(`db_replica_reads_total{replica="${name}"}`), 0)
    t.equal(await value(`db_replica_state{replica="${name}",state="up"}`), 0)
    t.same(await value(`db_replica_lag_seconds{replica="${name}"}`), Number.NaN, 'nothing to compare')
  }
  const all = await app.metrics.getMetricsAsJSON()
  t.match(
    all.filter(({ name }) => name === 'db_replica_lag_seconds'),
    [{ aggregator: 'max' }],
  )
  t.equal((await app.inject({ url: '/api/v1/auth/sessions', headers })).statusCode, 200)
  t.equal((await app.inject({ url: '/ready' })).statusCode, 200)
  t.equal(await value('db_replica_fallbacks_total{reason="none_up"}'), 1)

  await t.test('callers share a question that was sent after they came', async (t) => {
    const asked = () => value('db_query_duration_seconds_count{statement="readPrimaryPosition"}')
    const position = new PrimaryPosition(app.db)
    const first = position.read()
    // It is sent now.
    await nextTurn()
    const during = [position.read(), position.read()]
    t.not(during[0], first)
    t.equal(during[0], during[1])
    await Promise.all([first, ...during])
    t.ok((await asked()) > 0)
  })
})

t.test('a route that changes something cannot read from replicas', async (t) => {
  const { db } = await createTestApp(t, { APP_ROLE: 'web' })
  const extend = async (app: FastifyInstance) => {
    app.post('/things', { config: { replica: true } }, async () => 'made')
  }
  await t.rejects(buildApp(testConfig(db.url), { logger: false, extend }), /POST \/things changes something/)
})

t.test('the log tells what becomes of a replica, but not that it is a little behind', async (t) => {
  const changes: [previous: ReplicaState | undefined, state: ReplicaState, line: string | undefined][] = [
    [undefined, 'behind', undefined],
    [undefined, 'up', 'reads from a replica'],
    [undefined, 'down', 'the replica r is down'],
    [undefined, 'not_standby', 'the replica r is not_standby'],
    ['up', 'behind', 'the replica r is behind'],
    ['behind', 'up', undefined],
    ['down', 'up', 'reads from a replica'],
    ['not_standby', 'up', 'reads from a replica'],
    ['up', 'down', 'the replica r is down'],
    ['down', 'behind', 'the replica r is behind'],
  ]
  const cause = new Error('refused')
  for (const [previous, state, line] of changes) {
    const lines: object[] = []
    const take = (level: string) => (fields: object, message: string) => {
      lines.push({ level, message, ...fields })
    }
    stateLog({ info: take('info'), warn: take('warn') })({ name: 'r', state }, previous, cause)
    const up = { level: 'info', message: line, replica: 'r' }
    const other = { level: 'warn', message: 'does not read from a replica', err: { message: line, cause } }
    t.match(lines, line === undefined ? [] : [state === 'up' ? up : other], `${previous} to ${state}`)
    t.equal(lines.length, line === undefined ? 0 : 1)
  }
})
