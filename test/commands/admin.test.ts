// Among the first, because it takes long.

import t from 'tap'
import { runCommand } from '#test/support/command.ts'
import { createTestApp } from '#test/support/helper.ts'

const PASSWORD = 'correct horse \u{1F40E} staple'

function create(email: string, username: string): string[] {
  return ['create', '--email', email, '--username', username]
}

t.test('npm run admin', async (t) => {
  const { db, request, signUp } = await createTestApp(t)
  const database = { APP_DATABASE__URL: db.url }
  const admin = (
    args: readonly string[],
    input: string | Buffer = '',
    env: Record<string, string> = database,
  ) => runCommand('admin', args, { env, input })
  const login = (email: string, password = PASSWORD) =>
    request({ method: 'POST', url: '/api/v1/auth/login', payload: { email, password } })
  t.beforeEach(() => db.query('DELETE FROM users'))

  t.test('create: the admin signs in and lists users', async (t) => {
    const result = await admin(create('Root@Example.com', 'root'), `${PASSWORD}\n`)
    const [row] = await db.query<{ id: string }>('SELECT id FROM users')
    t.same(result, { code: 0, stdout: `Created the admin root (${row?.id})\n`, stderr: '' })

    const signedIn = await login('root@example.com')
    t.equal(signedIn.statusCode, 200)
    const headers = { authorization: `Bearer ${signedIn.json().access_token}` }
    const list = await request({ url: '/api/v1/users', headers })
    t.equal(list.statusCode, 200)
    t.match(list.json().data, [{ email: 'Root@Example.com', role: 'admin', is_active: true }])
  })

  t.test('the password is taken as it is but for the end of its line', async (t) => {
    for (const [index, end] of ['', '\r\n'].entries()) {
      const email = `user${index}@example.com`
      const password = '  spaces around  '
      t.match(await admin(create(email, `user${index}`), `${password}${end}`), { code: 0 })
      t.equal((await login(email, password)).statusCode, 200, JSON.stringify(end))
    }
  })

  t.test('each invalid value is told, and never the password', async (t) => {
    const env = { ...database, APP_LOG__LEVEL: 'fatal' }
    const result = await admin(create('nobody', 'no spaces'), 'planted', env)
    t.equal(result.code, 1)
    const problems = result.stderr.trimEnd().split('\n')
    for (const name of ['email', 'username', 'password']) {
      t.equal(problems.filter((problem) => problem.startsWith(`${name} `)).length, 1, name)
    }
    t.notMatch(result.stdout + result.stderr, /planted/)
    for (const password of ['\n', 'nul \0 inside', Buffer.from('not UTF-8: \xff\xfe', 'latin1')]) {
      const refused = await admin(create('a@example.com', 'somebody'), password)
      t.match(refused, { code: 1, stderr: /^password / }, JSON.stringify(String(password)))
    }
    t.same(await db.query('SELECT FROM users'), [])
  })

  t.test('an email and a username that are taken', async (t) => {
    t.match(await admin(create('a@example.com', 'first'), PASSWORD), { code: 0 })
    const email = await admin(create('A@EXAMPLE.COM', 'second'), PASSWORD)
    t.match(email, { code: 1, stdout: '', stderr: /email/ })
    const username = await admin(create('b@example.com', 'FIRST'), PASSWORD)
    t.match(username, { code: 1, stdout: '', stderr: /username/ })
    for (const { stderr } of [email, username]) t.equal(stderr.trimEnd().split('\n').length, 1)
    t.same(await db.query('SELECT count(*)::int FROM users'), [{ count: 1 }])
  })

  t.test('promote', async (t) => {
    const as = await signUp()
    t.equal((await request({ url: '/api/v1/users', as })).statusCode, 403)
    const result = await admin(['promote', '--email', as.user.email.toUpperCase()])
    t.match(result, { code: 0, stdout: new RegExp(`\\(${as.user.id}\\) is an admin now\n$`), stderr: '' })
    t.equal((await request({ url: '/api/v1/users', as })).statusCode, 200, 'on the live token too')
    const unknown = await admin(['promote', '--email', 'nobody@example.com'])
    t.match(unknown, { code: 1, stdout: '', stderr: 'No account has the address nobody@example.com.\n' })
  })

  t.test('verify: an international address, however it is written', async (t) => {
    const { user } = await signUp({ email: 'ada@xn--bcher-kva.example' })
    await db.query('UPDATE users SET email_verified_at = NULL')
    const verified = await admin(['verify', '--email', 'Ada@b\u00fccher.example'])
    t.match(verified, { code: 0, stdout: '1 address is confirmed now\n' })
    t.match(await db.query('SELECT email_verified_at FROM users WHERE id = $1', [user.id]), [
      { email_verified_at: Date },
    ])
    t.match(await admin(['verify', '--email', 'Ada@b\u00fccher.example']), {
      code: 0,
      stdout: /^0 addresses/,
    })
    const unknown = await admin(['verify', '--email', 'nobody@example.com'])
    t.match(unknown, { code: 1, stdout: '', stderr: 'No account has the address nobody@example.com.\n' })
    t.match(await admin(['verify', '--email', 'nobody']), { code: 1, stderr: /^email / })
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
        await admin(args),
        { code: 2, stdout: '', stderr: /Usage: npm run admin -- create/ },
        args.join(' '),
      )
    }
  })

  t.test('what keeps it from starting', async (t) => {
    t.match(await admin(['promote', '--email', 'a@example.com'], '', { APP_SERVER__PROT: '1' }), {
      code: 1,
      stderr: /The configuration has problems:/,
    })
    const away = { APP_DATABASE__URL: 'postgres://nobody@127.0.0.1:1/none', APP_LOG__LEVEL: 'silent' }
    const { code, stderr } = await admin(create('a@example.com', 'somebody'), PASSWORD, away)
    t.equal(code, 1)
    t.match(stderr, /database/)
  })
})
