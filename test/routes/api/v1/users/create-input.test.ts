import t from 'tap'
import { canonicalEmail } from '#config/email-address.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'

const URL = '/api/v1/users'
const VALID = { email: 'ada@example.com', username: 'ada', password: 'correct horse' }
const label = 'a'.repeat(63)
const local = 'l'.repeat(64)
/** 254 characters: 64, the @, and 189 of domain. */
const longest = `${local}@${label}.${label}.${'b'.repeat(57)}.com`

t.test('createUser: bodies it takes', async (t) => {
  t.equal(longest.length, 254)
  const { app } = await borrowTestApp(t)
  const emails = [
    'a@b.co',
    longest,
    `${local}@example.com`,
    'first.last+tag@sub.example.co.uk',
    "!#$%&'*+/=?^_`{|}~-@example.com",
    'ada@b\u00fccher.example',
    'bob@bu\u0308cher.example',
    'ada@\u4f8b\u3048.\u30c6\u30b9\u30c8',
    'ada@\u05d3\u05d5\u05d2\u05de\u05d4.example',
    'digits123@123.example',
    'a@xn--bcher-kva.example',
    'a@1-2.example',
  ]
  const usernames = ['abc', 'A1z', 'a.b', 'a_-.b', '000', 'z'.repeat(50)]
  for (const [index, email] of emails.entries()) {
    const response = await post(app, { ...VALID, email, username: `user${index}` })
    t.equal(response.statusCode, 201, email)
    t.equal(response.json().email, canonicalEmail(email), 'is stored in its normal form, in its own case')
  }
  for (const [index, username] of usernames.entries()) {
    const response = await post(app, { ...VALID, email: `name${index}@example.com`, username })
    t.equal(response.statusCode, 201, username)
    t.equal(response.json().username, username)
  }
})

t.test('createUser: values it refuses', async (t) => {
  const { app, db } = await borrowTestApp(t)
  const emails = [
    '',
    'a@b',
    'plain',
    '@example.com',
    'ada@',
    'ada@example',
    'ada@localhost',
    `${'l'.repeat(65)}@example.com`,
    `l${longest}`,
    longest.replace('@', '@b').replace('.com', '.comm'),
    `ada@${'a'.repeat(64)}.com`,
    'Ada <ada@example.com>',
    '<ada@example.com>',
    'ada@example.com (Ada)',
    'ada(comment)@example.com',
    '"ada"@example.com',
    '"ada lovelace"@example.com',
    'ada@@example.com',
    'ada@example@example.com',
    'ada@example.com,bob@example.com',
    'ada@example.com;bob@example.com',
    ' ada@example.com',
    'ada@example.com ',
    'a da@example.com',
    'ada@exam ple.com',
    'ada@example.com\n',
    '\nada@example.com',
    'ada\r\nBcc: all@example.com',
    'ada\t@example.com',
    'ada@example.com.',
    'ada@.example.com',
    'ada@example..com',
    '.ada@example.com',
    'ada.@example.com',
    'a..da@example.com',
    'ada@-example.com',
    'ada@example-.com',
    'ada@[127.0.0.1]',
    'ada@[IPv6:::1]',
    'ada@127.0.0.1',
    '用户@example.com',
    'пример@example.com',
    'jose\u0301@example.com',
    'ada@b\u00fccher.example/x',
    'ada@b\u00fccher.example:25',
    'ada@b\u00fccher%2eexample',
    'ada@\u2100.example',
    'ada\u200b@example.com',
    'ada\u00a0@example.com',
    'ada\u202e@example.com',
    'mailto:ada@example.com',
    'ada\\@example.com',
  ]
  const usernames = [
    '',
    'ab',
    'z'.repeat(51),
    '.ab',
    'ab.',
    '-ab',
    'ab-',
    '_ab',
    'ab_',
    'a b',
    'ab\n',
    'a@b',
    'a/b',
    'adä',
    'аdа',
    '\uff41\uff42\uff43',
    'ab\u200b',
    '...',
  ]
  const values = [...emails.map((email) => ({ email })), ...usernames.map((username) => ({ username }))]
  for (const value of values) {
    const response = await post(app, { ...VALID, ...value })
    const [name = ''] = Object.keys(value)
    const expected = { status: 400, code: 'validation_failed', pointers: [`/body/${name}`] }
    expectProblem(t, response, { ...expected, absent: [VALID.password] }, JSON.stringify(value))
  }
  t.equal((await db.query('SELECT FROM users')).length, 0)
})

t.test('createUser: types are not coerced, names not forgiven', async (t) => {
  const { app, db } = await borrowTestApp(t)
  const wrong = [12345678, 1.5, null, true, false, [], ['ada@example.com'], {}, { email: 'ada@example.com' }]
  for (const name of ['email', 'username', 'password']) {
    for (const value of wrong) {
      const response = await post(app, { ...VALID, [name]: value })
      const message = `${name}: ${JSON.stringify(value)}`
      expectProblem(
        t,
        response,
        { status: 400, code: 'validation_failed', pointers: [`/body/${name}`] },
        message,
      )
    }
    const { [name]: _, ...rest } = { ...VALID } as Record<string, string>
    const response = await post(app, rest)
    expectProblem(t, response, { status: 400, code: 'validation_failed', pointers: [`/body/${name}`] })
    t.match(response.json().errors, [{ message: 'is required' }])
  }
  for (const name of ['role', 'is_active', 'id', 'password_hash', 'created_at', 'Email', 'a/b~c', '']) {
    const response = await post(app, { ...VALID, [name]: 'admin' })
    const pointer = `/body/${name.replace('~', '~0').replace('/', '~1')}`
    expectProblem(t, response, { status: 400, code: 'validation_failed', pointers: [pointer] }, name)
  }
  for (const body of [null, true, 1, 'text', [], [VALID]]) {
    const response = await post(app, body)
    expectProblem(
      t,
      response,
      { status: 400, code: 'validation_failed', pointers: ['/body'] },
      JSON.stringify(body),
    )
  }
  const empty = await post(app, {})
  expectProblem(t, empty, {
    status: 400,
    code: 'validation_failed',
    pointers: ['/body/email', '/body/password', '/body/username'],
  })
  t.equal((await db.query('SELECT FROM users')).length, 0)
})

t.test('createUser: NUL and lone surrogates are refused wherever they stand', async (t) => {
  const { app, db } = await borrowTestApp(t)
  for (const bad of ['\\u0000', '\\ud800', '\\uDFFF', '\\udc00\\ud800', '\\ud83d\\ud83d\\ude00']) {
    const bodies = [
      ...Object.keys(VALID).map((name) => ({ ...VALID, [name]: `${VALID.email}@@` })),
      { ...VALID, 'name@@': 1 },
      { ...VALID, nested: { deep: [{ '@@': ['@@'] }] } },
    ]
    for (const body of bodies) {
      const payload = JSON.stringify(body).replaceAll('@@', bad)
      const response = await post(app, payload)
      expectProblem(t, response, { status: 400, code: 'invalid_text' }, payload)
    }
  }
  t.equal((await db.query('SELECT FROM users')).length, 0)
})

function post(app: Awaited<ReturnType<typeof borrowTestApp>>['app'], body: unknown) {
  return app.inject({
    method: 'POST',
    url: URL,
    headers: { 'content-type': 'application/json' },
    payload: typeof body === 'string' && body.startsWith('{') ? body : JSON.stringify(body),
  })
}
