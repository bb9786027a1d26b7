import { Writable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { buildApp } from '#app.ts'
import { LogDestination } from '#lib/log/destination.ts'
import { auditCheckpointJob, verifyAuditLogJob } from '#services/audit/jobs.ts'
import { sealBatch } from '#services/audit/sealer.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, testConfig } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

const RUN = {
  id: uuidv7(),
  attempt: 1,
  signal: new AbortController().signal,
  complete: async () => undefined,
}

/** Values of a name as they are scraped, by the values of their labels. */
async function valuesOf({ metrics }: FastifyInstance, name: string): Promise<Record<string, number>> {
  const text = (await metrics.metrics()).split('\n')
  const lines = text.flatMap((line) => {
    const [, labels = '', value] = new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`).exec(line) ?? []
    return value === undefined ? [] : [[labels.replace(/\w+="([^"]*)"/g, '$1'), Number(value)] as const]
  })
  return Object.fromEntries(lines)
}

t.test('the audit log: how long entries wait, when it was verified, and what was wrong', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const value = async (name: string) => (await valuesOf(app, name))['']
  t.ok(Number(await value('audit_verified_age_seconds')) > 0, 'never verified: as old as the process')
  await createOrganization(app)
  await db.querySuper('SET session_replication_role = replica')
  await db.querySuper(`UPDATE audit_intake SET action = 'another', at = at - interval '1 hour'`)
  t.ok(Number(await value('audit_pending_age_seconds')) >= 3600)
  t.equal(await value('audit_entries_refused'), 0)
  const { refused } = await sealBatch(app.ctx)
  t.ok(refused.length > 0, 'they are not what the service wrote')
  t.equal(await value('audit_entries_refused'), refused.length)
  t.equal(await value('audit_pending_age_seconds'), 0)

  await createOrganization(app)
  await sealBatch(app.ctx)
  await auditCheckpointJob.handler(app.ctx, {}, RUN)
  await verifyAuditLogJob.handler(app.ctx, {}, RUN)
  const before = Number(await value('audit_problems'))
  await createOrganization(app)
  await sealBatch(app.ctx)
  await db.querySuper(`UPDATE audit_entries SET action = 'another' WHERE at > now() - interval '30 minutes'`)
  await auditCheckpointJob.handler(app.ctx, {}, RUN)
  t.ok(Number(await value('audit_problems')) > before)
  await db.query(
    `UPDATE audit_verifications SET finished_at = finished_at - interval '2 hours' WHERE kind = 'new'`,
  )
  t.ok(Number(await value('audit_verified_age_seconds')) >= 7200)
  t.ok(Number(await value('audit_verified_all_age_seconds')) < 7200)
})

t.test('the audit log: what a worker seals, and what it refuses', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  await createOrganization(app)
  await db.querySuper('SET session_replication_role = replica')
  await db.querySuper(
    `UPDATE audit_intake SET action = 'another' WHERE id = (SELECT min(id::text)::uuid FROM audit_intake)`,
  )
  const lines: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString())
      done()
    },
  })
  const config = testConfig(db.url, { APP_ROLE: 'all' })
  const worker = await buildApp(config, { logger: { level: 'error', stream } })
  t.teardown(() => worker.close())
  await worker.ready()
  await eventually(async () => (await valuesOf(worker, 'audit_entries_refused_total'))[''] === 1)
  await eventually(async () => Number((await valuesOf(worker, 'audit_sealing_lag_seconds_count'))['']) > 0)
  const said = lines.map((line) => JSON.parse(line)).filter(({ entries }) => entries !== undefined)
  t.match(said, [
    { msg: 'entries of the audit log are not what the service wrote', entries: [{ reason: String }] },
  ])
})

t.test('caches: where the answer was', async (t) => {
  const { app, request, signUp } = await createTestApp(t, { APP_ROLE: 'web' })
  const as = await signUp()
  const asked = async () => {
    const { 'identity,memory': memory = 0, 'identity,miss': miss = 0 } = await valuesOf(
      app,
      'cache_requests_total',
    )
    return { memory, miss }
  }
  t.strictSame(await asked(), { memory: 0, miss: 0 })
  await eventually(async () => {
    const before = await asked()
    await request({ url: '/api/v1/users/me', as })
    const after = await asked()
    t.equal(after.memory + after.miss, before.memory + before.miss + 1)
    return after.memory > before.memory
  })
  t.ok((await asked()).miss >= 1)
})

t.test('events: how long the oldest has waited for its sink', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const ages = () => valuesOf(app, 'events_oldest_age_seconds')
  t.ok(Object.values(await ages()).length > 0)
  t.ok(Object.values(await ages()).every((age) => age === 0))
  await createOrganization(app)
  await db.query(`UPDATE events SET occurred_at = occurred_at - interval '1 hour'`)
  t.ok(Object.values(await ages()).every((age) => age >= 3600))
})

t.test('events: what sinks took, and how often that failed', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'all' })
  const sum = async (name: string) => Object.values(await valuesOf(app, name)).reduce((a, b) => a + b, 0)
  await db.query(
    `CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$`,
  )
  await db.query('CREATE TRIGGER broken BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION break()')
  await createOrganization(app)
  await eventually(async () => (await sum('events_relay_failures_total')) > 0)
  t.equal(await sum('events_relayed_total'), 0)
  await db.query('DROP TRIGGER broken ON events')
  await eventually(async () => (await sum('events_relayed_total')) > 0)
})

t.test('webhooks: attempts, their time, and those that were disabled', async (t) => {
  const { app } = await createTestApp(t, { APP_ROLE: 'web' })
  const { webhooks } = app.ctx
  webhooks.attempted('delivered', 0.3)
  webhooks.attempted('status', 4)
  webhooks.attempted('status', 4)
  webhooks.stopped('gone')
  t.match(await valuesOf(app, 'webhook_attempts_total'), { delivered: 1, status: 2 })
  t.match(await valuesOf(app, 'webhook_endpoints_disabled_total'), { gone: 1, failing: 0 })
  const durations = await app.metrics.getSingleMetricAsString('webhook_attempt_duration_seconds')
  t.match(durations, /_sum 8\.3\n.*_count 3/s)
})

t.test('log lines that nobody took', async (t) => {
  const db = await createTestDatabase(t)
  const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error('the disk is full')) })
  const logDestination = new LogDestination(broken)
  const app = await buildApp(testConfig(db.url, { APP_ROLE: 'web' }), { logDestination })
  t.teardown(() => app.close())
  await app.ready()
  t.equal((await valuesOf(app, 'log_lines_dropped_total'))[''], logDestination.dropped)
  logDestination.write('a\n')
  logDestination.write('b\n')
  await logDestination.flush(60_000)
  t.ok(logDestination.dropped >= 2)
  t.equal((await valuesOf(app, 'log_lines_dropped_total'))[''], logDestination.dropped)
})

t.test('the memory that there is', async (t) => {
  const { app } = await createTestApp(t, { APP_ROLE: 'web' })
  const limit = (await valuesOf(app, 'process_memory_limit_bytes'))['']
  t.ok(Number(limit) > process.memoryUsage.rss())
})

/** The values of their labels. An alert or a panel has to see the first one. */
const ZEROS = {
  db_retries_total: ['40001', '40P01'],
  http_requests_refused_total: [
    ...['bad_request', 'headers_too_large', 'payload_too_large', 'request_timeout'].map(
      (why) => `parser,${why}`,
    ),
    ...['event_loop', 'database', 'realtime_connections'].map((why) => `admission,${why}`),
    ...[
      ...['overloaded', 'database_unavailable', 'file_store_unavailable', 'password_queue_full'],
      ...['password_check_unavailable', 'realtime_unavailable'],
    ].map((why) => `operation,${why}`),
  ],
  cache_requests_total: ['identity', 'membership', 'api_key'].flatMap((cache) =>
    ['memory', 'shared', 'miss'].map((result) => `${cache},${result}`),
  ),
  breach_checks_total: ['clean', 'breached', 'failed'],
  file_scans_total: ['clean', 'infected', 'passed', 'held', 'failed'],
  file_variants_total: ['made', 'impossible', 'failed'],
  webhook_attempts_total: [
    ...['delivered', 'status', 'blocked_url', 'blocked_address', 'dns_error', 'connection_error'],
    ...['tls_error', 'timeout', 'protocol_error'],
  ],
  webhook_endpoints_disabled_total: ['gone', 'failing'],
  realtime_connections_ended_total: [
    ...['shutdown', 'internal_server_error', 'connection_expired', 'slow', 'insufficient_state', 'no_pong'],
    ...['too_many_requests', 'session_ended', 'invalid_token', 'bad_request', 'stale', 'connection_limit'],
    'rights_changed',
  ].map((reason) => `websocket,${reason}`),
  realtime_recoveries_total: ['recovered', 'reload'],
  uploads_parts_total: ['stored', 'finished', 'cut', 'taken_over', 'refused', 'failed'],
}

t.test('counters whose labels are known begin with 0, so that the first is seen as one more', async (t) => {
  const { app } = await createTestApp(t, { APP_ROLE: 'web' })
  const found: Record<string, string[]> = {}
  for (const { name, type, values } of await app.metrics.getMetricsAsJSON()) {
    const zeros = values.filter(({ labels, value }) => value === 0 && Object.keys(labels).length > 0)
    if (String(type) === 'counter' && zeros.length > 0)
      found[name] = zeros.map(({ labels }) => Object.values(labels).join()).sort()
  }
  // In no order: what has counted something before comes last.
  const wanted = Object.entries(ZEROS).map(([name, labels]) => [name, labels.toSorted()])
  t.strictSame(found, Object.fromEntries(wanted))
})
