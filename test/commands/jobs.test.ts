import t from 'tap'
import { runCommand } from '#test/support/command.ts'
import { createTestApp } from '#test/support/helper.ts'

const jobs = (args: string[], env: Record<string, string>) => runCommand('jobs', args, { env })

t.test('puts dead letters back into their queues', async (t) => {
  const { db } = await createTestApp(t, { APP_ROLE: 'web' })
  const env = { APP_ENVIRONMENT: 'test', APP_DATABASE__URL: db.url }
  await db.query(
    `INSERT INTO pgboss.job (name, data, source_name) VALUES
       ('dead_letter', '{"n":1}', 'send_mail'), ('dead_letter', '{"n":2}', 'send_mail'), ('dead_letter', '{}', 'cleanup')`,
  )
  const names = async () => (await db.query('SELECT name FROM pgboss.job ORDER BY 1')).map(({ name }) => name)

  t.match(await jobs(['retry', 'send_mail'], env), { code: 0, stdout: 'Put back: 2\n' })
  t.strictSame(await names(), ['dead_letter', 'send_mail', 'send_mail'])
  t.match(await jobs(['retry'], env), { code: 0, stdout: 'Put back: 1\n' })
  t.strictSame(await names(), ['cleanup', 'send_mail', 'send_mail'])
  t.match(await jobs(['retry'], env), { code: 0, stdout: 'Put back: 0\n' })
})

t.test('shows queues, jobs and dead letters', async (t) => {
  const { db } = await createTestApp(t, { APP_ROLE: 'web' })
  const env = { APP_ENVIRONMENT: 'test', APP_DATABASE__URL: db.url }
  const token = 'a1B2'.repeat(16)
  await db.query(
    `INSERT INTO pgboss.job (id, name, state, retry_count, created_on, start_after, output, data) VALUES
       ('00000000-0000-4000-8000-000000000001', 'send_mail', 'created', 0, now() - interval '3 days',
        now() - interval '3 days', null, '{"to":"planted@example.com"}'),
       ('00000000-0000-4000-8000-000000000002', 'send_mail', 'retry', 2, now() - interval '2 hours',
        now() + interval '1 hour', $1, '{}'),
       ('00000000-0000-4000-8000-000000000003', 'cleanup', 'active', 0, now(), now(), null, '{}'),
       ('00000000-0000-4000-8000-000000000004', 'cleanup', 'completed', 0, now(), now(), null, '{}')`,
    [JSON.stringify({ message: `refused\nBearer ${token}` })],
  )
  await db.query(
    `INSERT INTO pgboss.job (id, name, source_name, source_created_on, source_retry_count, source_output) VALUES
       ('00000000-0000-4000-8000-000000000005', 'dead_letter', 'send_mail', now() - interval '5 minutes', 30,
        '{"message":"550 no such mailbox"}')`,
  )
  const ids = ({ stdout }: { stdout: string }) =>
    [...stdout.matchAll(/^0{8}-\S+000(\d) /gm)].map(([, id]) => id)

  const queues = await jobs([], env)
  t.match(queues, { code: 0, stderr: '' })
  t.match(queues.stdout, /^QUEUE +WAITING +RETRYING +ACTIVE +DEAD +OLDEST DUE\n/)
  t.match(queues.stdout, /^send_mail +1 +1 +0 +1 +3d$/m)
  t.match(queues.stdout, /^cleanup +0 +0 +1 +0 +0s$/m)
  t.notMatch(queues.stdout, /pgboss|dead_letter/)

  const all = await jobs(['list'], env)
  t.same(ids(all), ['1', '2', '5', '3'], 'oldest first, without what is done')
  t.match(all.stdout, /2 +send_mail +retrying +2h +3 +refused\\n\[redacted\]/)
  t.match(all.stdout, /5 +send_mail +dead +5m +31 +550 no such mailbox\n/)
  t.notMatch(all.stdout, new RegExp(`${token}|planted`))
  t.same(ids(await jobs(['list', 'cleanup'], env)), ['3'])
  t.same(ids(await jobs(['list', 'send_mail', '--state', 'waiting'], env)), ['1'])
  t.same(ids(await jobs(['dead'], env)), ['5'])
  const first = await jobs(['list', '--limit', '1'], env)
  t.same(ids(first), ['1'])
  t.match(first.stdout, 'The oldest 1; --limit shows more.')
  const json = await jobs(['dead', 'send_mail', '--json'], env)
  t.match(JSON.parse(json.stdout), [
    { queue: 'send_mail', state: 'dead', attempts: 31, error: '550 no such mailbox' },
  ])

  for (const args of [
    ['list', 'mail'],
    ['dead', 'mail'],
    ['retry', 'mail'],
  ]) {
    t.match(
      await jobs(args, env),
      { code: 1, stdout: '', stderr: /^There is no queue mail\. There are: .*cleanup.*, send_mail.*\.\n$/ },
      args.join(' '),
    )
  }
})

t.test('says what is wrong', async (t) => {
  const wrong = [
    ['dance'],
    ['retry', 'a', 'b'],
    ['list', '--state', 'x'],
    ['dead', '--limit', '0'],
    ['retry', '--json'],
  ]
  for (const args of wrong) {
    t.match(await jobs(args, {}), { code: 2, stdout: '', stderr: /\nUsage: npm run jobs/ })
  }
  t.match(await jobs(['retry'], { APP_ROLE: 'web', APP_SERVER__PORT: 'x' }), {
    code: 1,
    stdout: '',
    stderr: /APP_SERVER__PORT/,
  })
})
