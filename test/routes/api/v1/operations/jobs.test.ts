import t from 'tap'
import { actOnJobsJob } from '#services/operations/jobs.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { BASE, fill, ID, numbers, reason, start } from './filled-queues.ts'

t.test('jobs are listed by state, queue, age and error', async (t) => {
  const testApp = await start(t)
  const { list, get, db } = testApp
  await fill(testApp)
  const [{ minutes } = { minutes: '' }] = await db.query<{ minutes: string }>(
    "SELECT to_json(now() - interval '390 s') #>> '{}' AS minutes",
  )
  const since = encodeURIComponent(new Date(minutes).toISOString())

  t.equal(numbers(await list('')), '7654321', 'newest first')
  t.equal(numbers(await list('queue=send_mail')), '7621')
  for (const [state, found] of Object.entries({
    waiting: '1',
    retrying: '2',
    active: '3',
    completed: '4',
    cancelled: '5',
    failed: '6',
    dead: '7',
  })) {
    const jobs = await list(`state=${state}`)
    t.equal(numbers(jobs), found, state)
    t.equal(jobs[0]?.state, state)
  }
  t.equal(numbers(await list('error=econnrefused')), '62', 'in any case')
  t.equal(numbers(await list(`error=${encodeURIComponent('100%_')}`)), '62', 'signs of patterns are plain')
  t.equal(numbers(await list('error=1000')), '')
  t.equal(numbers(await list(`since=${since}`)), '7654')
  t.equal(numbers(await list(`until=${since}`)), '321')
  await db.query("UPDATE pgboss.job SET created_on = date_trunc('milliseconds', created_on)")
  const [third] = await list('state=active')
  const exactly = encodeURIComponent(third?.created_at ?? '')
  t.equal(numbers(await list(`since=${exactly}`)), '76543', 'at this time, and later')
  t.equal(numbers(await list(`until=${exactly}`)), '21', 'before this time')
  t.equal(numbers(await list(`state=active&since=${exactly}`)), '3')
  t.equal(numbers(await list(`state=active&until=${exactly}`)), '')
  t.equal(numbers(await list('queue=cleanup&state=dead')), '')
  t.equal(numbers(await list('queue=nobodys')), '')

  const [dead] = await list('state=dead')
  t.match(dead, {
    queue: 'send_mail',
    attempts: 4,
    error: '550 no such mailbox',
    actions: ['retry', 'delete'],
  })
  const byNumber = new Map((await list('')).map((job) => [job.id.at(-1), job.actions.join()]))
  t.equal(byNumber.get('1'), 'cancel,delete', 'it is due already')
  t.equal(byNumber.get('2'), 'retry,cancel,delete')
  t.equal(byNumber.get('3'), '', 'it is worked on')
  t.equal(byNumber.get('5'), 'retry,delete')
  t.notMatch(JSON.stringify(await list('')), /a1B2/, 'without secrets')

  let seen = ''
  for (let cursor = ''; ; ) {
    const page = await get(`/jobs?limit=2${cursor}`)
    seen += numbers(page.data)
    if (page.next_cursor === null) break
    cursor = `&cursor=${page.next_cursor}`
  }
  t.equal(seen, '7654321', 'page by page')
})

t.test('a job is shown with its data, without secrets', async (t) => {
  const testApp = await start(t)
  await fill(testApp)
  const job = await testApp.get(`/jobs/${ID}1`)
  t.strictSame(JSON.parse(job.data), {
    to: 'ada@example.com',
    password: '[redacted]',
    nested: { access_token: '[redacted]' },
  })
  t.match(await testApp.get(`/jobs/${ID}7`), { state: 'dead', source_id: `${ID}6`, data: null })
  const unknown = await testApp.request({ url: `${BASE}/jobs/${ID}9`, as: testApp.admin })
  expectProblem(t, unknown, { status: 404, code: 'job_not_found' })
})

t.test('a search that finds little goes on from page to page', async (t) => {
  const { db, get } = await start(t)
  await db.query(
    `INSERT INTO pgboss.job (name, state, output, created_on, start_after)
     SELECT 'cleanup', 'retry', json_build_object('message', CASE n WHEN 15000 THEN 'needle' ELSE 'hay' END),
       now() - n * interval '1 s', now() - (20000 - n) * interval '1 s' FROM generate_series(1, 20000) n`,
  )
  await db.query(
    `INSERT INTO pgboss.job (name, state, created_on, start_after)
     VALUES ('cleanup', 'retry', now() + interval '1 hour', now() + interval '1 s')`,
  )
  await db.query('ANALYZE pgboss.job')
  const fromNow = (seconds: number) => encodeURIComponent(new Date(Date.now() + seconds * 1000).toISOString())
  const searches = [
    ['error=needle', 1],
    ['error=needle&state=retrying', 1],
    [`since=${fromNow(1800)}&state=retrying`, 1],
    [`until=${fromNow(-1_000_000)}&state=retrying`, 0],
  ] as const
  for (const [search, expected] of searches) {
    let [pages, found, cursor] = [0, 0, '']
    for (; ; pages++) {
      const page = await get(`/jobs?${search}&limit=5${cursor}`)
      found += page.data.length
      if (page.next_cursor === null) break
      cursor = `&cursor=${page.next_cursor}`
    }
    t.equal(found, expected, search)
    t.ok(pages >= 1 && pages <= 6, `${search}: ${pages} pages more`)
  }

  await db.query(
    `INSERT INTO pgboss.job (name, state, source_name, created_on, start_after)
     SELECT 'dead_letter', 'created', CASE n WHEN 2500 THEN 'send_mail' ELSE 'cleanup' END, now(),
       now() - (3000 - n) * interval '1 s' FROM generate_series(1, 2500) n`,
  )
  const { data } = await get('/jobs?queue=send_mail&state=dead')
  t.equal(data.length, 1, 'dead letters of one queue are looked for among those of all')
})

t.test('actions change what the state allows, count first, and are recorded', async (t) => {
  const testApp = await start(t)
  const { post, list, get, db, admin } = testApp
  await fill(testApp)
  const count = async (action: string, jobs: object) =>
    (await post('/job-actions/preview', { action, jobs })).json().count
  const act = async (action: string, jobs: object) => {
    const response = await post('/job-actions', { action, jobs, reason })
    t.equal(response.statusCode, 201, response.body)
    return response.json()
  }
  t.equal(await count('retry', { filter: {} }), 3)
  t.equal(await count('cancel', { filter: {} }), 2)
  t.equal(await count('delete', { filter: {} }), 6)
  t.equal(await count('retry', { filter: { error: 'mailbox' } }), 1)
  t.equal(await count('delete', { ids: [`${ID}1`, `${ID}3`, `${ID}9`] }), 1)

  t.match(await act('cancel', { ids: [`${ID}1`, `${ID}3`] }), { status: 'finished', total: 1, done: 1 })
  t.equal(numbers(await list('state=cancelled')), '15')
  t.match(await act('retry', { filter: { state: 'cancelled' } }), { status: 'finished', total: 2, done: 2 })
  t.same(
    numbers(await list('state=waiting'))
      .split('')
      .toSorted()
      .join(''),
    '15',
  )
  t.match(await act('retry', { filter: { state: 'retrying' } }), { done: 1 })
  t.match((await list('state=retrying'))[0]?.actions, ['cancel', 'delete'], 'it is due now')
  t.match(await act('retry', { filter: { state: 'dead', queue: 'send_mail' } }), { done: 1 })
  t.equal((await list('state=dead')).length, 0)
  t.equal((await list('state=waiting')).length, 3, 'it is back in its queue')
  const deleted = await act('delete', { filter: { queue: 'cleanup' } })
  t.match(deleted, { status: 'finished', done: 2 })
  t.equal(numbers(await list('queue=cleanup')), '3', 'what is worked on stays')

  t.strictSame(await get(`/job-actions/${deleted.id}`), deleted)
  t.equal((await get('/job-actions')).data.length, 5)
  const entries = (await get('/audit-entries?action=operations.createJobAction')).data
  t.equal(entries.length, 5)
  t.match(entries[0], { actor_kind: 'admin', actor_id: admin.user.id })
  t.match(JSON.parse(entries[0].details), { job_action: deleted.id, action: 'delete', total: 2, reason })
  t.equal((await db.query('SELECT FROM pgboss.job WHERE name = $1', [actOnJobsJob.name])).length, 0)

  for (const jobs of [{}, { ids: [], filter: {} }, { ids: [] }, { filter: { state: 'gone' } }]) {
    const refused = await post('/job-actions', { action: 'delete', jobs, reason })
    expectProblem(t, refused, { status: 400, code: 'validation_failed' })
  }
  const unexplained = await post('/job-actions', { action: 'delete', jobs: { filter: {} } })
  expectProblem(t, unexplained, { status: 400, code: 'validation_failed' })
})

t.test('what is done to many jobs is done by a job, which goes on where it was', async (t) => {
  const testApp = await start(t)
  const { app, post, list, get, db } = testApp
  await db.query(
    `INSERT INTO pgboss.job (name, source_name, source_output, created_on)
     SELECT 'dead_letter', CASE n % 2 WHEN 0 THEN 'send_mail' ELSE 'cleanup' END, '{"message":"no"}',
       now() - n * interval '1 ms' FROM generate_series(1, 5000) n`,
  )
  const jobs = { filter: { state: 'dead', queue: 'send_mail' } }
  const action = (await post('/job-actions', { action: 'retry', jobs, reason })).json()
  t.match(action, { status: 'running', total: 2500, done: 0 })

  const ending = new AbortController()
  const run = { id: action.id, attempt: 1, signal: ending.signal, complete: async () => undefined }
  let steps = 0
  // The process ends after the second step.
  const watched = {
    ...app.ctx,
    db: {
      query: app.ctx.db.query.bind(app.ctx.db),
      transaction: async <T>(work: Parameters<typeof app.ctx.db.transaction<T>>[0]) => {
        if (++steps === 3) ending.abort(new Error('the process ends'))
        ending.signal.throwIfAborted()
        return app.ctx.db.transaction(work)
      },
    },
  }
  await t.rejects(actOnJobsJob.handler(watched, { id: action.id }, run), /the process ends/)
  const halted = await get(`/job-actions/${action.id}`)
  t.equal(halted.status, 'running')
  t.ok(halted.done > 0 && halted.done < 2500, `${halted.done} are done`)

  await actOnJobsJob.handler(app.ctx, { id: action.id }, { ...run, signal: new AbortController().signal })
  t.match(await get(`/job-actions/${action.id}`), { status: 'finished', total: 2500, done: 2500 })
  const [left] = await db.query("SELECT count(*)::int AS jobs FROM pgboss.job WHERE name = 'dead_letter'")
  t.same(left, { jobs: 2500 })
  t.equal((await list('state=waiting&queue=send_mail&limit=100')).length, 100)

  const other = (
    await post('/job-actions', { action: 'delete', jobs: { filter: { queue: 'send_mail' } }, reason })
  ).json()
  t.match((await post(`/job-actions/${other.id}/stop`, { reason })).json(), { status: 'stopped', done: 0 })
  await actOnJobsJob.handler(app.ctx, { id: other.id }, { ...run, signal: new AbortController().signal })
  t.match(await get(`/job-actions/${other.id}`), { status: 'stopped', done: 0 })
  const stopped = (await get('/audit-entries?action=operations.stopJobAction')).data
  t.match(JSON.parse(stopped[0].details), { job_action: other.id, reason })
  expectProblem(t, await post(`/job-actions/${ID}1/stop`, { reason }), {
    status: 404,
    code: 'job_action_not_found',
  })
})

t.test('two actions on the same jobs at once: neither leaves out what the other works on', async (t) => {
  const { app, post, get, db } = await start(t)
  const jobs = { filter: { queue: 'send_mail' } }
  const act = async (action: string) => (await post('/job-actions', { action, jobs, reason })).json()
  await db.query(
    `INSERT INTO pgboss.job (name, start_after, created_on)
     SELECT 'send_mail', now() + interval '1 day', now() - n * interval '1 ms' FROM generate_series(1, 5000) n`,
  )
  const actions = [await act('cancel'), await act('delete')]
  const run = { id: ID, attempt: 1, signal: new AbortController().signal, complete: async () => undefined }
  await Promise.all(actions.map(({ id }) => actOnJobsJob.handler(app.ctx, { id }, run)))
  t.match(await get(`/job-actions/${actions[1].id}`), { status: 'finished', total: 5000, done: 5000 })
  t.match(await get(`/job-actions/${actions[0].id}`), { status: 'finished' })
  t.same(await db.query("SELECT FROM pgboss.job WHERE name = 'send_mail'"), [])
})
