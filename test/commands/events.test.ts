import t from 'tap'
import { emitOne } from '#test/services/broker/brokers.ts'
import { runCommand } from '#test/support/command.ts'
import { createTestApp } from '#test/support/helper.ts'

const events = (args: string[], env: Record<string, string> = {}) => runCommand('events', args, { env })

t.test('events since a time wait for the broker again, with the ids that they had', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const env = { APP_ENVIRONMENT: 'test', APP_DATABASE__URL: db.url }
  for (let n = 0; n < 4; n++) await emitOne(app)
  const ids = (await db.query<{ id: string }>('SELECT id FROM events ORDER BY id')).map(({ id }) => id)
  // One is of long ago, one waits.
  const old = '01810000-0000-7000-8000-000000000001'
  await db.query('UPDATE events SET id = $1 WHERE id = $2', [old, ids[0]])
  await db.query('UPDATE events SET broker_at = now() WHERE id <> $1', [ids[3]])
  const waiting = async () =>
    (await db.query('SELECT id FROM events WHERE broker_at IS NULL ORDER BY id')).map(({ id }) => id)

  t.match(await events(['republish', '--since', '1h'], env), {
    code: 0,
    stdout: /^Events since .+Z that wait for the broker again: 2\n$/,
    stderr: 'There is neither a broker nor a consumer; they wait for one.\n',
  })
  t.same(await waiting(), ids.slice(1))
  const all = await events(['republish', '--since', '2020-01-31T08:00:00Z'], env)
  t.match(all, {
    code: 0,
    stdout: 'Events since 2020-01-31T08:00:00.000Z that wait for the broker again: 1\n',
  })
  t.same(await waiting(), [old, ...ids.slice(1)])
})

t.test('what it does not know is refused', async (t) => {
  const wrong = [[], ['republish'], ['publish', '--since', '1h'], ['republish', 'x', '--since', '1h']]
  for (const since of ['yesterday', '2026-13-01T00:00:00Z', '2026-01-31T08:00:00', '-1h', ''])
    wrong.push(['republish', '--since', since])
  for (const args of wrong) t.match(await events(args), { code: 2, stderr: /\nUsage: npm run events/ })
})
