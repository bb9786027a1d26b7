import t, { type Test } from 'tap'
import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { createBoss } from '#lib/jobs/boss.ts'
import { watchDueJobs } from '#lib/jobs/due-jobs.ts'
import { defineJob, type JobDefinition } from '#lib/jobs/jobs.ts'
import { PlacesOfQueues } from '#lib/jobs/places.ts'
import { JobQueue } from '#lib/jobs/queue.ts'
import { work } from '#lib/jobs/worker.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'

/** Seconds between looks: far longer than the test waits. */
const NEVER = 3600

/** A queue of the test's own, whose places are woken by announcements, as the service's are. */
async function start<Data extends object>(t: Test, job: JobDefinition<Data, Context>) {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const working = new PlacesOfQueues()
  const announced = (name: string) => working.announce(name)
  const connection = connectionTo(db.url)
  const boss = createBoss({ pool: app.pg.pool, connection, works: true, log: app.log, announced })
  t.teardown(() => boss.stop({ timeout: 5000 }))
  const queue = new JobQueue(boss)
  await queue.start([job], { schedules: false })
  const begin = async () => {
    const contextFor = (fields: object) => ({ ...app.ctx, log: app.log.child(fields) })
    working.set(job.name, await work(boss, job, { contextFor, finished: () => undefined, polling: NEVER }))
  }
  return { app, queue, working, begin }
}

t.test('a backlog is worked off without waiting, groups within their limit', async (t) => {
  const running = new Map<string, number>()
  let [done, most] = [0, 0]
  const job = defineJob({
    name: 'count',
    concurrency: 3,
    groupConcurrency: 1,
    handler: async (_ctx: Context, { group }: { group: string }) => {
      const now = (running.get(group) ?? 0) + 1
      running.set(group, now)
      most = Math.max(most, now)
      await new Promise((resolve) => setTimeout(resolve, 5))
      running.set(group, now - 1)
      done++
    },
  })
  const { app, queue, begin } = await start(t, job)
  // One transaction, and so one notification.
  await transaction(app.ctx, async (tx) => {
    for (let count = 0; count < 60; count++) {
      const group = `group ${count % 3}`
      await queue.enqueue(tx.db, job, { group }, { group })
    }
  })
  await begin()
  await eventually(async () => done === 60, 60)
  t.ok(most <= 2, `${most} of a group ran at once; two that look at the same moment may`)
})

t.test('one announcement fills all places that have something to do', async (t) => {
  const gate = Promise.withResolvers<void>()
  let [running, done] = [0, 0]
  const job = defineJob({
    name: 'fill',
    concurrency: 4,
    handler: async () => {
      running++
      await gate.promise
      done++
    },
  })
  const { app, queue, begin } = await start(t, job)
  await begin()
  // Each place has looked, and found nothing.
  await new Promise((resolve) => setTimeout(resolve, 300))
  await transaction(app.ctx, (tx) =>
    queue.enqueueAll(
      tx.db,
      job,
      Array.from({ length: 9 }, (_, n) => ({ data: { n } })),
    ),
  )
  await eventually(async () => running === 4)
  gate.resolve()
  await eventually(async () => done === 9)
  t.equal(running, 9)
})

t.test('a job for later, which nobody announces, is begun when it is due', async (t) => {
  let done = 0
  const job = defineJob({
    name: 'later',
    handler: async () => {
      done++
    },
  })
  const { app, queue, working, begin } = await start(t, job)
  await begin()
  const stop = new AbortController()
  t.teardown(() => stop.abort())
  watchDueJobs(app.db, app.log, working, stop.signal)
  await queue.enqueue(app.db, job, {}, { startAfter: new Date(Date.now() + 1500) })
  await eventually(async () => done === 1)
  t.pass('it was begun')
})
