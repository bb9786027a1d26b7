import t from 'tap'
import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { createBoss } from '#lib/jobs/boss.ts'
import { defineJob } from '#lib/jobs/jobs.ts'
import { JobQueue } from '#lib/jobs/queue.ts'
import { work } from '#lib/jobs/worker.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'

/** Seconds between looks: far longer than the test waits. */
const NEVER = 3600

t.test('a backlog is worked off without waiting, groups within their limit', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
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
  const boss = createBoss({ pool: app.pg.pool, connection: connectionTo(db.url), works: true, log: app.log })
  t.teardown(() => boss.stop({ timeout: 5000 }))
  const queue = new JobQueue(boss)
  await queue.start([job], { schedules: false })
  // One transaction, and so one notification.
  await transaction(app.ctx, async (tx) => {
    for (let count = 0; count < 60; count++) {
      const group = `group ${count % 3}`
      await queue.enqueue(tx.db, job, { group }, { group })
    }
  })
  await work(boss, job, {
    contextFor: (fields) => ({ ...app.ctx, log: app.log.child(fields) }),
    finished: () => undefined,
    polling: NEVER,
  })
  await eventually(async () => done === 60, 60)
  t.ok(most <= 2, `${most} of a group ran at once; two that look at the same moment may`)
})
