import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { BASE, fill, numbers, reason, start } from './filled-queues.ts'

t.test('queues are summed up, paused and resumed; schedules are shown and run', async (t) => {
  const testApp = await start(t)
  const { post, get, list } = testApp
  await fill(testApp)
  const queues = (await get('/queues?limit=100')).data
  const mails = () =>
    get('/queues?limit=100').then(({ data }) =>
      data.find(({ name }: { name: string }) => name === 'send_mail'),
    )
  t.match(await mails(), { waiting: 1, retrying: 1, active: 0, dead: 1, is_paused: false, cron: null })
  const names = queues.map(({ name }: { name: string }) => name)
  t.notOk(names.includes('dead_letter'))
  const first = await get('/queues?limit=3')
  const second = await get(`/queues?limit=3&cursor=${first.next_cursor}`)
  t.strictSame([...first.data, ...second.data], queues.slice(0, 6))

  const paused = await post('/queues/send_mail/pause', { reason })
  t.match([paused.statusCode, paused.json()], [200, { name: 'send_mail', is_paused: true }])
  t.match(await get('/health'), {
    jobs: { paused: ['send_mail'], waiting: 1, dead: 1 },
    mails: { failed: 1 },
  })
  t.match((await post('/queues/send_mail/resume', { reason })).json(), { is_paused: false })
  expectProblem(t, await post('/queues/nobodys/pause', { reason }), { status: 404, code: 'queue_not_found' })
  const [entry] = (await get('/audit-entries?action=operations.pauseQueue')).data
  t.strictSame(JSON.parse(entry.details), { queue: 'send_mail', reason })

  const schedules = (await get('/schedules?limit=100')).data
  // A process that does not work leaves the schedules to others.
  t.strictSame(schedules, [])
  expectProblem(t, await post('/schedules/cleanup/run', { reason }), {
    status: 404,
    code: 'schedule_not_found',
  })
  t.equal(numbers(await list('queue=cleanup&state=waiting')), '')
})

t.test('workers run schedules on demand, and keep away from paused queues', async (t) => {
  const { db, request, signUp } = await borrowTestApp(t)
  const admin = await signUp({ role: 'admin' })
  const post = (path: string) => request({ method: 'POST', url: BASE + path, as: admin, payload: { reason } })
  const get = async (path: string) => (await request({ url: BASE + path, as: admin })).json()
  const schedules = (await get('/schedules?limit=100')).data
  const cleanup = schedules.find(({ queue }: { queue: string }) => queue === 'cleanup')
  t.match(cleanup, { cron: '17 * * * *', next_at: /^\d{4}-.*:17:00\.000Z$/ })

  const states = async (id: string) => (await get(`/jobs/${id}`)).state
  const ran = await post('/schedules/cleanup/run')
  t.equal(ran.statusCode, 202, ran.body)
  await eventually(async () => (await states(ran.json().job_id)) === 'completed')

  await post('/queues/cleanup/pause')
  // The worker may have looked just before.
  await eventually(async () => {
    const { job_id } = (await post('/schedules/cleanup/run')).json()
    await new Promise((resolve) => setTimeout(resolve, 2000))
    return (await states(job_id)) === 'waiting'
  })
  await post('/queues/cleanup/resume')
  await eventually(async () => (await get('/jobs?queue=cleanup&state=waiting')).data.length === 0)
  t.equal((await db.query('SELECT FROM paused_queues')).length, 0)
})
