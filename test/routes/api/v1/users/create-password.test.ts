import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'

const EMOJI = '\u{1f600}'
const NFD_E = 'e\u0301'

t.test('a password has 8 to 128 characters of any kind, counted after normalisation', async (t) => {
  const { app } = await borrowTestApp(t)
  const accepted = [
    ['eight characters', 'gq7-zx4k'],
    ['128 characters', 'x'.repeat(128)],
    ['8 emoji', EMOJI.repeat(8)],
    ['128 emoji', EMOJI.repeat(128)],
    ['only spaces', ' '.repeat(8)],
    ['8 after composition of 16', NFD_E.repeat(8)],
    ['128 after composition of 256', NFD_E.repeat(128)],
    ['control characters', '\t\n\r\u0001\u007f\u0080ab'],
    ['JSON and SQL', `"\\'; DROP TABLE users; --`],
  ] as const
  for (const [index, [name, password]] of accepted.entries()) {
    const email = `user${index}@example.com`
    t.equal((await register(index, password)).statusCode, 201, name)
    t.equal((await login(email, password)).statusCode, 200, `${name}: signs in`)
  }

  const refused = [
    ['empty', ''],
    ['7 characters', '1234567'],
    ['129 characters', 'x'.repeat(129)],
    ['7 emoji of 14 UTF-16 units', EMOJI.repeat(7)],
    ['129 emoji', EMOJI.repeat(129)],
    ['7 after composition of 14', NFD_E.repeat(7)],
    ['100 000 characters', 'x'.repeat(100_000)],
  ] as const
  for (const [name, password] of refused) {
    const expected = { status: 400, code: 'validation_failed', pointers: ['/body/password'] }
    const response = await register(100, password)
    expectProblem(t, response, { ...expected, absent: password ? [password] : [] }, name)
    const attempt = await login('user0@example.com', password)
    // A password that is only compared may be older than the rules: it is short, and wrong.
    const isShort = password.length > 0 && password.length < 100
    if (isShort) expectProblem(t, attempt, { status: 401, code: 'invalid_credentials' }, `${name}: at login`)
    else expectProblem(t, attempt, expected, `${name}: at login`)
  }

  function register(index: number, password: string) {
    const payload = { email: `user${index}@example.com`, username: `user${index}`, password }
    return app.inject({ method: 'POST', url: '/api/v1/users', payload })
  }

  function login(email: string, password: string) {
    return app.inject({ method: 'POST', url: '/api/v1/auth/login', payload: { email, password } })
  }
})

t.test('a password signs in as it was given, in either normal form', async (t) => {
  const { app, signUp } = await borrowTestApp(t)
  const rows = [
    { password: '  two spaces around  ', entered: '  two spaces around  ', status: 200 },
    { password: '  two spaces around  ', entered: 'two spaces around', status: 401 },
    { password: '  two spaces around  ', entered: '  two spaces around', status: 401 },
    { password: 'CaseMatters', entered: 'casematters', status: 401 },
    { password: 'cafe\u0301 cre\u0300me', entered: 'caf\u00e9 cr\u00e8me', status: 200 },
    { password: 'caf\u00e9 cr\u00e8me', entered: 'cafe\u0301 cre\u0300me', status: 200 },
    { password: 'caf\u00e9 cr\u00e8me', entered: 'cafe creme', status: 401 },
    { password: 'ligature \ufb01', entered: 'ligature fi', status: 401 },
    { password: `family ${EMOJI}`, entered: 'family \u{1f601}', status: 401 },
    { password: 'x'.repeat(128), entered: `${'x'.repeat(127)}y`, status: 401 },
    { password: 'x'.repeat(72).concat('tail'), entered: 'x'.repeat(72).concat('liat'), status: 401 },
  ]
  for (const { password, entered, status } of rows) {
    const { user } = await signUp()
    const payload = { email: user.email, username: `${user.username}x`, password }
    const registered = await app.inject({
      method: 'POST',
      url: '/api/v1/users',
      payload: { ...payload, email: `x${user.email}` },
    })
    t.equal(registered.statusCode, 201)
    const response = await app.inject({
      method: 'POST',
      url: '/api/v1/auth/login',
      payload: { email: `x${user.email}`, password: entered },
    })
    t.equal(response.statusCode, status, `${JSON.stringify(password)} as ${JSON.stringify(entered)}`)
  }
})
