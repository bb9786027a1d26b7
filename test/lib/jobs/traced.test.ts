import t from 'tap'
import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { createBoss } from '#lib/jobs/boss.ts'
import { defineJob, PermanentFailure } from '#lib/jobs/jobs.ts'
import { JobQueue } from '#lib/jobs/queue.ts'
import { work } from '#lib/jobs/worker.ts'
import type { Span, SpanStart, Tracing } from '#lib/tracing/tracing.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'

const CARRIER = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }

/** Notes what is traced: what was enqueued, and each span with what became of it. */
function recorder() {
  const enqueued: unknown[][] = []
  const spans: { start: SpanStart; span: Span; said: unknown[] }[] = []
  const tracing: Tracing = {
    start: (start) => {
      const said: unknown[] = []
      const span: Span = {
        ids: { trace_id: '1', span_id: '2' },
        isSampled: true,
        run: (run) => {
          said.push('run')
          return run()
        },
        rename: (name) => said.push(name),
        set: (attributes) => said.push(attributes),
        fail: (error) => said.push(error),
        end: () => said.push('end'),
      }
      spans.push({ start, span, said })
      return span
    },
    trace: (name, kind, attributes, run) => {
      enqueued.push([name, kind, attributes])
      return run()
    },
    carrier: () => CARRIER,
    follow: () => undefined,
    logFields: () => ({}),
    counts: { exported: 0, lost: 0 },
    shutdown: async () => undefined,
  }
  return { enqueued, spans, tracing }
}

const ERRORS: Readonly<Record<string, unknown>> = {
  again: new TypeError('not yet'),
  text: 'only a text',
  never: new PermanentFailure('no use'),
}

t.test(
  'a run is a span of the trace that enqueued it, and one that failed is tried again on request',
  async (t) => {
    const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
    const boss = createBoss({
      pool: app.pg.pool,
      connection: connectionTo(db.url),
      works: true,
      log: app.log,
    })
    const { enqueued, spans, tracing } = recorder()
    const queue = new JobQueue(boss, tracing)
    const ran: object[] = []
    const gaveUp: unknown[][] = []
    const job = defineJob({
      name: 'traced',
      concurrency: 1,
      retryDelay: 3600,
      handler: async (_ctx: Context, data: { how: string }) => {
        ran.push(data)
        if (data.how in ERRORS && spans.length <= 4) throw ERRORS[data.how]
      },
    })
    await queue.start([job], { schedules: false })
    t.teardown(() => boss.stop({ timeout: 5000 }))
    await work(boss, job, {
      contextFor: () => app.ctx,
      finished: () => undefined,
      gaveUp: (...all) => gaveUp.push(all),
      tracing,
      polling: 0.5,
    })
    const ended = async (count: number) => {
      await eventually(async () => spans.filter(({ said }) => said.at(-1) === 'end').length === count)
    }
    const ways = ['well', ...Object.keys(ERRORS)]
    const attributes = { 'messaging.system': 'pg-boss', 'messaging.destination.name': 'traced' }
    for (const how of ways) await transaction(app.ctx, (tx) => queue.enqueue(tx.db, job, { how }))
    await ended(ways.length)
    t.strictSame(enqueued, Array(4).fill(['enqueue traced', 'producer', attributes]))
    t.strictSame(
      ran,
      ways.map((how) => ({ how })),
      'the handler sees the data alone',
    )
    const jobs = await db.query<{ id: string; how: string }>(
      "SELECT id, data ->> 'how' AS how FROM pgboss.job WHERE name = 'traced'",
    )
    const idOf = (how: string | undefined) => jobs.find((row) => row.how === how)?.id ?? ''
    t.strictSame(
      spans.map(({ start }) => start),
      ways.map((how) => ({
        name: 'traced',
        kind: 'consumer',
        attributes: { ...attributes, 'app.job.id': idOf(how), 'app.job.attempt': 1 },
        parent: CARRIER,
      })),
    )
    const outcome = (name: string) => ({ 'app.job.outcome': name })
    t.strictSame(
      spans.map(({ said }) => said),
      [
        ['run', outcome('completed'), 'end'],
        ['run', outcome('retried'), { type: 'TypeError' }, 'end'],
        ['run', outcome('retried'), { type: 'string' }, 'end'],
        ['run', outcome('dead'), { type: 'PermanentFailure' }, 'end'],
      ],
    )
    t.strictSame(gaveUp, [['traced', ERRORS['never'], spans[3]?.span]], 'only what is dead is reported')

    const dead = () => db.query<{ id: string }>("SELECT id FROM pgboss.job WHERE name = 'dead_letter'")
    await eventually(async () => (await dead()).length === 1)
    const waiting = () =>
      db.query("SELECT FROM pgboss.job WHERE name = 'traced' AND state = 'retry' AND start_after > now()")
    await eventually(async () => (await waiting()).length === 2)
    const retry = (name: string, id: string | undefined) =>
      transaction(app.ctx, (tx) => queue.act(tx.db, 'retry', name, [id ?? '']))
    await retry('traced', idOf('again'))
    await ended(5)
    t.match(spans[4]?.start, { attributes: { 'app.job.id': idOf('again'), 'app.job.attempt': 2 } })
    t.equal((await waiting()).length, 1, 'the other waits for its time')
    const [letter] = await dead()
    await retry('dead_letter', letter?.id)
    await ended(6)
    t.strictSame(ran.slice(4), [{ how: 'again' }, { how: 'never' }])
    t.match(spans[5], { start: { parent: CARRIER }, said: ['run', outcome('completed'), 'end'] })
    t.strictSame(await dead(), [])
  },
)
