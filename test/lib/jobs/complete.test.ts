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

t.test('a job ended in a transaction is ended exactly if that commits, and only once', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const note = (ctx: Pick<Context, 'db'>, text: string) =>
    ctx.db.query({ name: 'note', text: 'INSERT INTO notes (text) VALUES ($1)', values: [text] })
  await db.query('CREATE TABLE notes (text text)')
  const job = defineJob({
    name: 'note',
    retryDelay: 0,
    handler: async (ctx: Context, _data: object, run) => {
      if (run.attempt === 1) {
        // As if the worker died between its last statement and the commit.
        await transaction(ctx, async (tx) => {
          await run.complete(tx.db)
          await note(tx, 'rolled back')
          throw new Error('died')
        })
      }
      await transaction(ctx, async (tx) => {
        await run.complete(tx.db)
        await note(tx, 'committed')
      })
      // As a second worker that took the first for dead.
      await transaction(ctx, async (tx) => {
        await note(tx, 'again')
        await run.complete(tx.db)
      })
    },
  })

  const boss = createBoss({
    pool: app.pg.pool,
    connection: connectionTo(db.url),
    works: true,
    log: app.log,
  })
  t.teardown(() => boss.stop({ timeout: 5000 }))
  const queue = new JobQueue(boss)
  await queue.start([job], { schedules: false })
  const outcomes: string[] = []
  await work(boss, job, {
    contextFor: () => app.ctx,
    finished: (_name, outcome) => outcomes.push(outcome),
    polling: 0.5,
  })
  await queue.enqueue(app.db, job, {})

  await eventually(async () => outcomes.length === 2)
  t.same(await db.query('SELECT text FROM notes'), [{ text: 'committed' }])
  t.same(await db.query(`SELECT state::text FROM pgboss.job WHERE name = 'note'`), [{ state: 'completed' }])
})
