import t from 'tap'
import { listJobs, overview } from '#lib/jobs/overview.ts'
import { selectDueQueues } from '#lib/jobs/queries.ts'
import { countJobs } from '#lib/jobs/statistics.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

t.test('which jobs count as unfinished, dead and due', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const clear = () => db.query('DELETE FROM pgboss.job')
  const own = '__pgboss__send-it'
  await db.query(
    `INSERT INTO pgboss.queue
     SELECT (jsonb_populate_record(q, $1)).* FROM pgboss.queue q WHERE name = 'cleanup'`,
    [JSON.stringify({ name: own })],
  )
  t.teardown(async () => {
    // The next test waits for what is worked on.
    await clear()
    await db.query('DELETE FROM pgboss.queue WHERE name = $1', [own])
  })
  await clear()
  const insert = (name: string, state: string, more: Record<string, string | number | boolean> = {}) => {
    const row = { name, state, ...more }
    const values = Object.values(row)
    return db.query(
      `INSERT INTO pgboss.job (${Object.keys(row).join(', ')}) VALUES (${values.map((_, at) => `$${at + 1}`).join(', ')})`,
      values,
    )
  }
  const due = () => selectDueQueues(app.db, ['send_mail', 'cleanup'])
  const later = { start_after: new Date(Date.now() + 3_600_000).toISOString() }

  for (const [state, more] of [
    ['created', later],
    ['created', { blocked: true }],
    ['active', {}],
    ['completed', {}],
    ['cancelled', {}],
    ['failed', {}],
  ] as const) {
    await clear()
    await insert('send_mail', state, more)
    t.strictSame(await due(), [], `${state} ${Object.keys(more).join()}`)
  }
  for (const state of ['created', 'retry']) {
    await clear()
    await insert('cleanup', state)
    t.strictSame(await due(), ['cleanup'], state)
  }

  await clear()
  const old = (minutes: number) => ({ created_on: new Date(Date.now() - minutes * 60_000).toISOString() })
  await insert('cleanup', 'created', old(5))
  await insert('cleanup', 'retry', { retry_count: 3, ...old(4), ...later })
  await insert('cleanup', 'active', { retry_count: 2, ...old(3) })
  await insert('dead_letter', 'created', { source_name: 'cleanup', ...old(2) })
  await insert('dead_letter', 'created', { source_name: 'cleanup', source_retry_count: 4, ...old(-10) })
  for (const state of ['completed', 'cancelled', 'failed']) {
    await insert('cleanup', state, old(6))
    await insert('dead_letter', state, { source_name: 'cleanup', ...old(6) })
  }
  await insert(own, 'created', old(6))
  const listed = await listJobs(app.db, { limit: 9 })
  t.strictSame(
    listed.map(({ state, attempts, age }) => [state, attempts, Math.floor(age / 60)]),
    [
      ['waiting', 0, 5],
      ['retrying', 4, 4],
      ['active', 3, 3],
      ['dead', 1, 2],
      ['dead', 5, 0],
    ],
    'oldest first',
  )
  t.equal(listed.at(-1)?.age, 0, 'the clock of who enqueued it is ahead')
  t.match(await overview(app.db, ['send_mail', 'cleanup']), [
    { queue: 'cleanup', waiting: 1, retrying: 1, active: 1, dead: 2 },
    { queue: 'send_mail', waiting: 0, retrying: 0, active: 0, dead: 0, oldest_age: 0 },
  ])
  const states = await countJobs(app.db)
  t.strictSame(states.map(({ queue, state, jobs }) => `${queue} ${state} ${jobs}`).sort(), [
    'cleanup active 1',
    'cleanup created 1',
    'cleanup retry 1',
    'dead_letter created 2',
  ])
  t.equal(states.find(({ state }) => state === 'retry')?.oldest_age, 0, 'it is not due')
})
