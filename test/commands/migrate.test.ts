import t from 'tap'
import { runCommand } from '#test/support/command.ts'
import { createEmptyDatabase } from '#test/support/database.ts'

const migrate = (args: string[], env: Record<string, string>) => runCommand('migrate', args, { env })

t.test('up, status and down', async (t) => {
  const { url, query } = await createEmptyDatabase(t)
  const env = { APP_DATABASE__URL: url }
  t.match(await migrate(['status'], env), {
    code: 0,
    stdout: /^VERSION {2}NAME +STATE +RUN AT\n001 +create-users +pending\n/,
    stderr: '',
  })
  t.match(await migrate(['up'], env), { code: 0, stdout: /^Applied 001\.do\.create-users\.sql\n/ })
  t.same(await query('SELECT email FROM users'), [])
  t.match(await migrate(['up'], env), { code: 0, stdout: 'Nothing to apply\n' })
  t.match(await migrate(['status'], env), {
    code: 0,
    stdout: /\n001 +create-users +applied +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\n/,
  })

  const [before] = await query<{ version: number }>('SELECT max(version)::int AS version FROM schemaversion')
  t.match(await migrate(['down'], env), { code: 0, stdout: /^Applied .*\.undo\..*\.sql\n$/ })
  const [after] = await query<{ version: number }>('SELECT max(version)::int AS version FROM schemaversion')
  t.equal(after?.version, (before?.version ?? 0) - 1, 'one without a number')
  await migrate(['down', '99'], env)
  t.match(await migrate(['down', '2'], env), { code: 0, stdout: 'Nothing to undo\n' })
  await t.rejects(query('SELECT FROM users'), { code: '42P01' })
})

t.test('in production, what loses data is confirmed first', async (t) => {
  const { url, query } = await createEmptyDatabase(t)
  const env = {
    APP_ENVIRONMENT: 'production',
    APP_DATABASE__URL: url,
    APP_DATABASE__TLS: 'off',
    APP_JWT__SECRET: 'a secret of a test that is long enough for anybody',
    APP_SERVER__PUBLIC_URL: 'https://api.example.com',
  }
  t.match(await migrate(['up'], env), { code: 0 })
  t.match(await migrate(['down', '99'], env), {
    code: 1,
    stdout: '',
    stderr: /^In the environment production this undoes up to 99 migrations.*\nNothing was done.* --yes/,
  })
  t.same(await query('SELECT email FROM users'), [])
  t.match(await migrate(['down', '99', '--yes'], env), { code: 0, stdout: /001\.undo\.create-users\.sql/ })
})

t.test('arguments that it does not know give the usage', async (t) => {
  const wrong = [
    [],
    ['sideways'],
    ['up', '2'],
    ['status', 'x'],
    ['up', '--yes'],
    ['up', '1'],
    ['status', '1'],
    ['down', '0'],
    ['down', 'all'],
    ['down', '1', '2'],
  ]
  for (const args of wrong) {
    t.match(
      await migrate(args, {}),
      { code: 2, stdout: '', stderr: /\nUsage: npm run migrate/ },
      args.join(' '),
    )
  }
})

t.test('failures are told in a line, with exit code 1', async (t) => {
  const { url, query } = await createEmptyDatabase(t)
  await query('CREATE TABLE users ()')
  t.match(await migrate(['up'], { APP_DATABASE__URL: url }), {
    code: 1,
    stderr:
      /^001\.do\.create-users\.sql, line \d+: relation "users" already exists\n {2}in: CREATE TABLE users/,
  })
  t.match(await migrate(['up'], { APP_DATABASE__URL: 'postgres://x@127.0.0.1:1/x' }), {
    code: 1,
    stderr: /^connect ECONNREFUSED 127\.0\.0\.1:1\nNothing listens there: .*APP_DATABASE__URL/,
  })
  t.match(await migrate(['up'], { APP_DATABASE__URL: 'postgres://x@localhost:1/x' }), {
    code: 1,
    stderr: /connect ECONNREFUSED/,
  })
  t.match(await migrate(['up'], { APP_DATABASE__URL: 'not a url' }), { code: 1, stderr: /APP_DATABASE__URL/ })
})

t.test('without a URL it uses the embedded server', async (t) => {
  const { code, stdout, stderr } = await migrate(['status'], { APP_ENVIRONMENT: 'development' })
  t.equal(code, 0)
  t.match(stdout, /^VERSION.*\n001 +create-users/)
  t.match(stderr, /^.*PostgreSQL.* in .*\.data\/postgres/)
})
