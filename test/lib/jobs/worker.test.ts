import t, { type Test } from 'tap'
import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { DatabaseUnavailable } from '#lib/database/errors.ts'
import { createBoss } from '#lib/jobs/boss.ts'
import { defineJob, type JobDefinition, type JobRun, PermanentFailure } from '#lib/jobs/jobs.ts'
import { JobQueue } from '#lib/jobs/queue.ts'
import { work } from '#lib/jobs/worker.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, type TestApp } from '#test/support/helper.ts'

interface Row {
  state: string
  data: object
  output: { message: string } | null
  retry_count: number
  source_name: string | null
}

/** Queues and workers of a test's own, beside an application that works on nothing. */
async function startWorker<Data extends object>(
  t: Test,
  jobs: JobDefinition<Data, Context>[],
  given?: TestApp,
) {
  const testApp = given ?? (await createTestApp(t, { APP_ROLE: 'web' }))
  const { app, db } = testApp
  const connection = connectionTo(db.url)
  const boss = createBoss({ pool: app.pg.pool, connection, works: true, log: app.log })
  const queue = new JobQueue(boss)
  const runs: string[] = []
  await queue.start(jobs, { schedules: true })
  let stopped: Promise<void> | undefined
  const stop = (timeout = 5000) => {
    stopped ??= boss.stop({ timeout })
    return stopped
  }
  t.teardown(() => stop())
  for (const job of jobs) {
    await work(boss, job, {
      contextFor: (fields) => ({ ...app.ctx, log: app.log.child(fields) }),
      finished: (name, outcome) => runs.push(`${name} ${outcome}`),
      polling: 0.5,
    })
  }
  const rows = (name: string) =>
    db.query<Row & Record<string, unknown>>(
      `SELECT state, data, output, retry_count, source_name FROM pgboss.job WHERE name = '${name}' ORDER BY created_on`,
    )
  return { ...testApp, ctx: { ...app.ctx, jobs: queue }, boss, queue, runs, rows, stop }
}

t.test('a job runs once its transaction has committed, and never without it', async (t) => {
  const seen: { data: object; run: JobRun }[] = []
  const job = defineJob({
    name: 'echo',
    handler: async (ctx: Context, data: { text: string }, run) => {
      ctx.log.info({}, 'echoed')
      seen.push({ data, run })
    },
  })
  const { ctx, runs, rows, logs } = await startWorker(t, [job])

  const failure = new Error('changed my mind')
  const failed = transaction(ctx, async (tx) => {
    await tx.jobs.enqueue(tx.db, job, { text: 'rolled back' })
    throw failure
  })
  await t.rejects(failed, failure)
  await transaction(ctx, async (tx) => {
    await tx.jobs.enqueue(tx.db, job, { text: 'committed' })
    t.strictSame(await rows('echo'), [], 'others do not see it yet')
  })
  await eventually(async () => runs.length > 0)

  t.match(seen, [{ data: { text: 'committed' }, run: { attempt: 1, id: /^[0-9a-f-]{36}$/ } }])
  t.strictSame(runs, ['echo completed'])
  await eventually(async () => (await rows('echo'))[0]?.state === 'completed')
  t.match(
    logs().find(({ msg }) => msg === 'echoed'),
    { queue: 'echo', job_id: seen[0]?.run.id, attempt: 1 },
  )
})

t.test('a job that fails is tried again, later each time', async (t) => {
  const attempts: number[] = []
  const ids = new Set<string>()
  const job = defineJob({
    name: 'flaky',
    retryDelay: 1,
    retryLimit: 5,
    handler: async (_ctx: Context, _data: object, { attempt, id }) => {
      attempts.push(attempt)
      ids.add(id)
      if (attempt < 3) throw new Error(`attempt ${attempt}`)
    },
  })
  const { ctx, runs, rows, db, logs } = await startWorker(t, [job])
  await ctx.jobs.enqueue(ctx.db, job, {})
  await eventually(async () => runs.length === 3)

  t.strictSame(attempts, [1, 2, 3])
  t.equal(ids.size, 1)
  t.strictSame(runs, ['flaky retried', 'flaky retried', 'flaky completed'])
  await eventually(async () => (await rows('flaky'))[0]?.state === 'completed')
  t.match(logs().filter(({ queue, level }) => queue === 'flaky' && level === 'warn').length, 2)
  t.match(await db.query("SELECT retry_delay, retry_backoff FROM pgboss.job WHERE name = 'flaky'"), [
    { retry_delay: 1, retry_backoff: true },
  ])
})

t.test('a job that was tried often enough is a dead letter', async (t) => {
  const job = defineJob({
    name: 'hopeless',
    retryDelay: 1,
    retryLimit: 1,
    handler: async (_ctx: Context, _data: { n: number }) => {
      throw `no luck ${'x'.repeat(1000)}`
    },
  })
  const { ctx, runs, rows, logs } = await startWorker(t, [job])
  await ctx.jobs.enqueue(ctx.db, job, { n: 1 })
  await eventually(async () => (await rows('dead_letter')).length === 1)

  t.strictSame(runs, ['hopeless retried', 'hopeless dead'])
  const [row] = await rows('hopeless')
  t.match(row, { state: 'failed', retry_count: 1, output: { message: /^no luck x+$/ } })
  t.equal(row?.output?.message.length, 500)
  t.match(await rows('dead_letter'), [{ state: 'created', data: { n: 1 }, source_name: 'hopeless' }])
  t.match(
    logs().find(({ level }) => level === 'error'),
    { msg: 'job given up; it is among the dead letters', queue: 'hopeless' },
  )
})

t.test('a permanent failure is a dead letter at once', async (t) => {
  const job = defineJob({
    name: 'refused',
    handler: async (_ctx: Context, _data: object) => {
      throw new PermanentFailure('never')
    },
  })
  const { ctx, runs, rows } = await startWorker(t, [job])
  await ctx.jobs.enqueue(ctx.db, job, {})
  await eventually(async () => (await rows('dead_letter')).length === 1)
  t.strictSame(runs, ['refused dead'])
  t.match(await rows('refused'), [{ state: 'failed', retry_count: 0, output: { message: 'never' } }])
})

t.test('no more runs at once than the job allows', async (t) => {
  let running = 0
  let most = 0
  const gates: (() => void)[] = []
  const job = defineJob({
    name: 'slow',
    concurrency: 2,
    handler: async (_ctx: Context, _data: object) => {
      running++
      most = Math.max(most, running)
      await new Promise<void>((resolve) => gates.push(resolve))
      running--
    },
  })
  const { ctx, runs, rows } = await startWorker(t, [job])
  for (let n = 0; n < 5; n++) await ctx.jobs.enqueue(ctx.db, job, {})
  await eventually(async () => {
    // Only when two are in hand is one let go.
    if (gates.length === 2 || runs.length >= 3) gates.shift()?.()
    return runs.length === 5
  })
  t.equal(most, 2)
  t.equal((await rows('slow')).length, 5)
})

t.test('a job can wait for its time', async (t) => {
  const job = defineJob({ name: 'later', handler: async (_ctx: Context, _data: object) => undefined })
  const { ctx, rows, runs, db } = await startWorker(t, [job])
  await ctx.jobs.enqueue(ctx.db, job, { n: 1 }, { startAfter: new Date(Date.now() + 3_600_000) })
  await ctx.jobs.enqueue(ctx.db, job, { n: 2 })
  await eventually(async () => runs.length === 1)
  t.match(await rows('later'), [{ state: 'created', data: { n: 1 } }, { data: { n: 2 } }])
  await db.query("UPDATE pgboss.job SET start_after = now() WHERE name = 'later'")
  await eventually(async () => runs.length === 2)
})

t.test('at the end, running jobs finish and the others stay', async (t) => {
  let release: () => void = () => undefined
  const job = defineJob({
    name: 'last',
    concurrency: 1,
    handler: (_ctx: Context, _data: object) =>
      new Promise<void>((resolve) => {
        release = resolve
      }),
  })
  const { ctx, rows, runs, stop } = await startWorker(t, [job])
  await ctx.jobs.enqueue(ctx.db, job, {})
  await eventually(async () => (await rows('last'))[0]?.state === 'active')
  await ctx.jobs.enqueue(ctx.db, job, {})
  const stopped = stop()
  release()
  await stopped
  t.strictSame(runs, ['last completed'])
  // It may have been fetched already, and was then put back.
  t.match(await rows('last'), [{ state: 'completed' }, { state: /^(?:created|retry)$/ }])
})

t.test('a job that does not finish in time is another worker’s', async (t) => {
  let signal: AbortSignal | undefined
  const stuck = defineJob({
    name: 'stuck',
    retryDelay: 1,
    handler: (_ctx: Context, _data: object, run) => {
      signal = run.signal
      return new Promise<void>(() => undefined)
    },
  })
  const first = await startWorker(t, [stuck])
  await first.ctx.jobs.enqueue(first.ctx.db, stuck, {})
  await eventually(async () => signal !== undefined)
  await first.stop(0)
  t.ok(signal?.aborted)
  t.match(await first.rows('stuck'), [{ state: 'retry' }])

  const healthy = defineJob({ name: 'stuck', handler: async (_ctx: Context, _data: object) => undefined })
  const second = await startWorker(t, [healthy], first)
  await eventually(async () => second.runs.length === 1)
  t.strictSame(second.runs, ['stuck completed'])
})

t.test('queues and schedules become those of the version that starts', async (t) => {
  const handler = async (_ctx: Context, _data: object) => undefined
  const before = [
    defineJob({ name: 'one', handler, retryLimit: 1, cron: '0 3 * * *' }),
    defineJob({ name: 'two', handler, cron: '0 4 * * *' }),
  ]
  const after = [
    defineJob({ name: 'one', handler, retryLimit: 7, cron: '30 3 * * *' }),
    defineJob({ name: 'two', handler }),
  ]
  const old = await startWorker(t, before)
  t.match(await old.boss.getSchedules(), [
    { name: 'one', cron: '0 3 * * *', timezone: 'UTC' },
    { name: 'two', cron: '0 4 * * *' },
  ])
  await old.stop()
  const { boss } = await startWorker(t, after, old)
  const once = { timezone: 'UTC', options: { missed: 'once' } }
  t.match(await boss.getSchedules(), [{ name: 'one', cron: '30 3 * * *', ...once }])
  // A schedule of an earlier version whose runs are all made up for, or at another place's time.
  const restart = async () => {
    const [scheduled] = await boss.getSchedules()
    await new JobQueue(boss).start(after, { schedules: true })
    const schedules = await boss.getSchedules()
    t.match(schedules, [{ name: 'one', cron: '30 3 * * *', ...once }])
    return { scheduled, renewed: schedules[0] }
  }
  for (const options of [{ tz: 'UTC' }, { tz: 'Europe/Paris', missed: 'once' } as const]) {
    await boss.schedule('one', '30 3 * * *', {}, options)
    await restart()
  }
  const { scheduled, renewed } = await restart()
  t.same(renewed, scheduled, 'the same is not written again')
  t.match(await boss.getQueue('one'), {
    retryLimit: 7,
    retryBackoff: true,
    deadLetter: 'dead_letter',
    notify: true,
    // Jobs that nobody works on stay for two weeks, finished ones for a day.
    retentionSeconds: 1_209_600,
    deleteAfterSeconds: 86_400,
    heartbeatSeconds: 10,
  })
})

t.test('nothing can be enqueued before the queues are there', async (t) => {
  const job = defineJob({ name: 'early', handler: async (_ctx: Context, _data: object) => undefined })
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const boss = createBoss({
    pool: app.pg.pool,
    connection: connectionTo(db.url),
    works: false,
    log: app.log,
  })
  await t.rejects(new JobQueue(boss).enqueue(app.db, job, {}), DatabaseUnavailable)
})

t.test('what goes wrong inside of pg-boss is logged', async (t) => {
  const { boss, logs } = await startWorker(t, [])
  boss.emit('error', new Error('some trouble'))
  boss.emit('warning', { message: 'some warning', data: { type: 'queue_backlog' } })
  t.match(
    logs().filter(({ level }) => level === 'warn'),
    [
      { msg: 'the job queue has trouble', err: { message: 'some trouble' } },
      { msg: 'some warning', details: { type: 'queue_backlog' } },
    ],
  )
})
