import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call, registration, signUp } from '#test/support/http.ts'
import { environment, startProcess, startService } from '#test/support/process.ts'
import { copyProject } from '#test/support/project-copy.ts'

const COMMAND = join(import.meta.dirname, '../../commands/admin.ts')
const PASSWORD = 'correct horse \u{1F40E} staple'

/** Runs the command with `input` as its standard input. */
async function admin(
  t: Test,
  env: Record<string, string>,
  args: readonly string[],
  input: string | Buffer = '',
) {
  const variables = environment({ APP_ENVIRONMENT: 'test', ...env })
  const command = startProcess(t, process.execPath, [COMMAND, ...args], { env: variables })
  // It may end without reading, when the arguments are wrong.
  command.child.stdin?.on('error', () => undefined)
  command.child.stdin?.end(input)
  const { code } = await command.exited
  return { code, stdout: command.stdout(), stderr: command.stderr() }
}

function create(email: string, username: string): string[] {
  return ['create', '--email', email, '--username', username]
}

function login(url: string, email: string, password = PASSWORD) {
  return call(`${url}/api/v1/auth/login`, { method: 'POST', json: { email, password } })
}

t.test('create: the admin signs in and lists users', async (t) => {
  const { url: databaseUrl, query } = await createTestDatabase(t)
  const env = { APP_DATABASE__URL: databaseUrl }
  const result = await admin(t, env, create('Root@Example.com', 'root'), `${PASSWORD}\n`)
  const [row] = await query<{ id: string }>('SELECT id FROM users')
  t.same(result, { code: 0, stdout: `Created the admin root (${row?.id})\n`, stderr: '' })

  const { url } = await startService(t, env)
  const signedIn = await login(url, 'root@example.com')
  t.equal(signedIn.status, 200)
  const token = JSON.parse(signedIn.text).access_token
  const list = await call(`${url}/api/v1/users`, { token })
  t.equal(list.status, 200)
  t.match(JSON.parse(list.text).data, [{ email: 'Root@Example.com', role: 'admin', is_active: true }])
})

t.test('the password is taken as it is but for the end of its line', async (t) => {
  const { url: databaseUrl } = await createTestDatabase(t)
  const env = { APP_DATABASE__URL: databaseUrl }
  const { url } = await startService(t, env)
  for (const [index, end] of ['', '\r\n'].entries()) {
    const email = `user${index}@example.com`
    const password = '  spaces around  '
    t.match(await admin(t, env, create(email, `user${index}`), `${password}${end}`), { code: 0 })
    t.match(await login(url, email, password), { status: 200 }, JSON.stringify(end))
  }
})

t.test('each invalid value is told, and never the password', async (t) => {
  const { url, query } = await createTestDatabase(t)
  const env = { APP_DATABASE__URL: url, APP_LOG__LEVEL: 'trace' }
  const result = await admin(t, env, create('nobody', 'no spaces'), 'planted')
  t.equal(result.code, 1)
  const problems = result.stderr.trimEnd().split('\n')
  for (const name of ['email', 'username', 'password']) {
    t.equal(problems.filter((problem) => problem.startsWith(`${name} `)).length, 1, name)
  }
  t.notMatch(result.stdout + result.stderr, /planted/)
  for (const password of ['\n', 'nul \0 inside', Buffer.from('not UTF-8: \xff\xfe', 'latin1')]) {
    const refused = await admin(t, env, create('a@example.com', 'somebody'), password)
    t.match(refused, { code: 1, stderr: /^password / }, JSON.stringify(String(password)))
  }
  t.same(await query('SELECT FROM users'), [])
})

t.test('an email and a username that are taken', async (t) => {
  const { url, query } = await createTestDatabase(t)
  const env = { APP_DATABASE__URL: url }
  t.match(await admin(t, env, create('a@example.com', 'first'), PASSWORD), { code: 0 })
  const email = await admin(t, env, create('A@EXAMPLE.COM', 'second'), PASSWORD)
  t.match(email, { code: 1, stdout: '', stderr: /email/ })
  const username = await admin(t, env, create('b@example.com', 'FIRST'), PASSWORD)
  t.match(username, { code: 1, stdout: '', stderr: /username/ })
  for (const { stderr } of [email, username]) t.equal(stderr.trimEnd().split('\n').length, 1)
  t.same(await query('SELECT count(*)::int FROM users'), [{ count: 1 }])
})

t.test('promote', async (t) => {
  const { url: databaseUrl } = await createTestDatabase(t)
  const env = { APP_DATABASE__URL: databaseUrl }
  const { url } = await startService(t, env)
  const user = await signUp(url)
  t.match(await call(`${url}/api/v1/users`, { token: user.token }), { status: 403 })
  const result = await admin(t, env, ['promote', '--email', user.email.toUpperCase()])
  t.match(result, { code: 0, stdout: new RegExp(`\\(${user.id}\\) is an admin now\n$`), stderr: '' })
  t.match(await call(`${url}/api/v1/users`, { token: user.token }), { status: 200 }, 'on the live token too')
  const unknown = await admin(t, env, ['promote', '--email', 'nobody@example.com'])
  t.match(unknown, { code: 1, stdout: '', stderr: /\S/ })
})

t.test('arguments that it does not know give the usage', async (t) => {
  for (const args of [
    [],
    ['create'],
    ['create', '--email', 'a@example.com', '--username', 'a', 'more'],
    ['create', '--email', 'a@example.com', '--username', 'a', '--password', 'planted'],
    ['promote'],
    ['promote', '--email', 'a@example.com', '--username', 'a'],
  ]) {
    t.match(
      await admin(t, {}, args),
      { code: 2, stdout: '', stderr: /Usage: npm run admin -- create/ },
      args.join(' '),
    )
  }
})

t.test('what keeps it from starting', async (t) => {
  t.match(await admin(t, { APP_SERVER__PROT: '1' }, ['promote', '--email', 'a@example.com']), {
    code: 1,
    stderr: /The configuration has problems:/,
  })
  const away = { APP_DATABASE__URL: 'postgres://nobody@127.0.0.1:1/none' }
  const { code, stderr } = await admin(t, away, create('a@example.com', 'somebody'), PASSWORD)
  t.equal(code, 1)
  t.match(stderr, /database/)
})

t.test('in a terminal the prompt does not show the password', { skip: lacksScript() }, async (t) => {
  const { url: databaseUrl } = await createTestDatabase(t)
  const env = { APP_DATABASE__URL: databaseUrl }
  const command = `"${process.execPath}" "${COMMAND}" create --email a@example.com --username somebody`
  const terminal = startProcess(t, 'script', ['-qec', command, '/dev/null'], {
    env: environment({ APP_ENVIRONMENT: 'test', ...env }),
  })
  await eventually(async () => terminal.stdout().includes('Password:'))
  terminal.child.stdin?.write(`${PASSWORD}\r`)
  t.match(await terminal.exited, { code: 0 })
  t.match(terminal.stdout(), /Created the admin somebody/)
  t.notMatch(terminal.stdout(), /correct|horse|staple/)
  const { url } = await startService(t, env)
  t.match(await login(url, 'a@example.com'), { status: 200 })
})

t.test('without a URL it uses the embedded server', async (t) => {
  // The developer's own, so nothing is written there.
  const env = { APP_ENVIRONMENT: 'development', APP_DATABASE__MIGRATE_ON_START: 'false' }
  const result = await admin(t, env, ['promote', '--email', 'nobody@example.invalid'])
  t.match(result, { code: 1, stdout: '', stderr: /PostgreSQL.* in .*\.data\/postgres/ })
})

t.test('by npm, beside a running service on the embedded server', async (t) => {
  const { directory, postgresRuns } = await copyProject(t)
  const service = await startService(t, { APP_ENVIRONMENT: 'development' }, { cwd: directory })
  const { email, username } = registration()
  const npm = startProcess(t, 'npm', ['run', 'admin', '--offline', '--', ...create(email, username)], {
    cwd: directory,
    env: environment({ APP_ENVIRONMENT: 'development' }),
  })
  npm.child.stdin?.end(`${PASSWORD}\n`)
  t.match(await npm.exited, { code: 0 })
  t.match(npm.stdout(), new RegExp(`Created the admin ${username}`))
  t.notMatch(npm.stdout() + npm.stderr(), /horse/)
  t.ok(await postgresRuns(), 'the service still needs it')
  t.match(await login(service.url, email), { status: 200 })
})

function lacksScript(): string | false {
  const { status } = spawnSync('script', ['--version'])
  return status === 0 ? false : 'needs script from util-linux'
}
