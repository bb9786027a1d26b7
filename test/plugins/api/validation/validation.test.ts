import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createTestApp } from '#test/support/helper.ts'

t.test('what is wrong is pointed at', async (t) => {
  const { request, signUp } = await createTestApp(t, {}, async (instance) => {
    const text = { type: 'string', maxLength: 10, pattern: '^a+$' }
    const querystring = { type: 'object', properties: { text }, additionalProperties: false }
    instance.get('/pattern', { schema: { hide: true, querystring } }, async () => 'fine')
  })
  const as = await signUp({ role: 'admin' })
  const errorsOf = async (options: Parameters<typeof request>[0]) => {
    const response = await request(options)
    t.equal(response.statusCode, 400)
    t.match(response.json(), { code: 'validation_failed', detail: 'The request has invalid values.' })
    return response.json().errors
  }
  const login = (payload: object) => errorsOf({ method: 'POST', url: '/api/v1/auth/login', payload })

  const required = { code: 'required', message: 'is required', params: {} }
  t.strictSame(await login({}), [
    { pointer: '/body/email', ...required },
    { pointer: '/body/password', ...required },
  ])
  t.strictSame(await login({ email: 'no address', password: 'long enough', 'a/b~c': 1 }), [
    { pointer: '/body/a~1b~0c', code: 'unknown_property', message: 'is not a known property', params: {} },
    {
      pointer: '/body/email',
      code: 'invalid_format',
      message: 'must be one plain email address',
      params: {},
    },
  ])
  // The published pattern accepts it.
  t.match(await login({ email: 'ada@example', password: 'long enough' }), [
    { pointer: '/body/email', code: 'invalid_format', message: 'must be one plain email address' },
  ])
  t.strictSame(await login({ email: 'ada@example.com', password: 12345678 }), [
    { pointer: '/body/password', code: 'wrong_type', message: 'must be text', params: { types: ['string'] } },
  ])
  t.strictSame(await errorsOf({ url: '/api/v1/users?role=king&limit=0', as }), [
    { pointer: '/query/limit', code: 'too_small', message: 'must be 1 or more', params: { minimum: 1 } },
    {
      pointer: '/query/role',
      code: 'not_one_of',
      message: 'must be one of user, admin',
      params: { allowed: ['user', 'admin'] },
    },
  ])
  t.strictSame(await errorsOf({ url: '/api/v1/users/7', as }), [
    { pointer: '/params/id', code: 'invalid_format', message: 'must be a UUID', params: { format: 'uuid' } },
  ])
  t.strictSame(await errorsOf({ url: '/pattern?text=b' }), [
    { pointer: '/query/text', code: 'invalid_format', message: 'has an invalid format', params: {} },
  ])
})

t.test('times are those that can be kept', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const as = await signUp({ role: 'admin' })
  const ask = async (since: string) => {
    const query = { since }
    const response = await request({ url: '/api/v1/operations/audit-entries', query, as })
    return [response.statusCode, response.json().errors?.[0].pointer]
  }
  const right = ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999Z', '2026-01-01T00:00:00+15:59']
  for (const time of right) t.strictSame(await ask(time), [200, undefined], time)
  const wrong = [
    ...['2016-12-31T23:59:60Z', '0000-01-01T00:00:00Z', '2026-02-30T00:00:00Z', '2026-01-01T00:00:00'],
    ...['2026-01-01T00:00:00+16:00', '2026-01-01T00:00:00-23:59', '+12026-01-01T00:00:00Z', '2026-01-01'],
  ]
  for (const time of wrong) t.strictSame(await ask(time), [400, '/query/since'], time)
})

t.test('bodies are not coerced, query strings are', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const as = await signUp({ role: 'admin' })
  const page = await request({ url: '/api/v1/users?limit=5&is_active=true', as })
  t.equal(page.statusCode, 200)
  for (const value of [1, 'true', null, []]) {
    const url = `/api/v1/users/${as.user.id}`
    const response = await request({ method: 'PATCH', url, payload: { is_active: value }, as })
    t.equal(response.statusCode, 400, JSON.stringify(value))
  }
})

t.test('lengths count after normalisation, of any text that may become short enough', async (t) => {
  const { request } = await borrowTestApp(t)
  const login = async (password: string) => {
    const payload = { email: 'ada@example.com', password }
    const response = await request({ method: 'POST', url: '/api/v1/auth/login', payload })
    return [response.statusCode, ...(response.json().errors ?? []).map(({ code }: { code: string }) => code)]
  }
  // Four characters that are one when composed.
  const longest = '\u03b1\u0313\u0300\u0345'.repeat(128)
  t.equal(longest.normalize('NFC').length, 128)
  t.strictSame(await login(longest), [401])
  t.strictSame(await login('\u{1f511}'.repeat(128)), [401])
  t.strictSame(await login(`${longest}a`), [400, 'too_long'])
  t.strictSame(await login('\u{1f511}'.repeat(129)), [400, 'too_long'])
})

t.test('errors are cut: their number, their names, and the work of finding them', async (t) => {
  const { request } = await borrowTestApp(t)
  const login = async (payload: object) => {
    const response = await request({ method: 'POST', url: '/api/v1/auth/login', payload })
    t.equal(response.statusCode, 400)
    t.ok(response.body.length < 8192, `${response.body.length} bytes`)
    return response.json().errors
  }
  const unknown = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]))
  t.equal((await login(unknown(500))).length, 20)
  t.equal((await login(unknown(15_000))).length, 1, 'what is large has its first error found')
  const errors = await login({ [`/${'n'.repeat(62)}\u{1f511}${'n'.repeat(1000)}`]: 1 })
  const { pointer } = errors.find(({ code }: { code: string }) => code === 'unknown_property')
  t.equal(pointer, `/body/~1${'n'.repeat(62)}\u2026`, 'a name is cut between characters')
})

t.test('bodies are nested so deep and no deeper', async (t) => {
  const { request } = await borrowTestApp(t)
  const nested = async (depth: number) => {
    const payload = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
    const headers = { 'content-type': 'application/json' }
    const response = await request({ method: 'POST', url: '/api/v1/auth/login', payload, headers })
    return response.json().errors
  }
  const codes = (await nested(64)).map(({ code }: { code: string }) => code)
  t.strictSame(codes.sort(), ['required', 'required', 'unknown_property'])
  const [{ pointer, ...tooDeep }] = await nested(65)
  t.equal(pointer, '/body/a', 'the outermost value is pointed at')
  const message = 'must not be nested more than 64 levels deep'
  t.strictSame(tooDeep, { code: 'too_deep', message, params: { max_depth: 64 } })
})

t.test('text that cannot be stored is pointed at', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const as = await signUp({ role: 'admin' })
  const post = (payload: string) => {
    const headers = { 'content-type': 'application/json' }
    return request({ method: 'POST', url: '/api/v1/auth/login', headers, payload })
  }
  const places: [response: Awaited<ReturnType<typeof post>>, pointer: string][] = [
    [await post('{"email":"a\\u0000"}'), '/body/email'],
    [await post('{"email":{"a/b":[1,"\\ud800"]}}'), '/body/email/a~1b/1'],
    [await post('{"\\udfff":1}'), '/body/\ufffd'],
    [await post('"\\udfff"'), '/body'],
    [await request({ url: '/api/v1/users?q=a%00', as }), '/query/q'],
    [await request({ url: '/api/v1/users/a%00', as }), '/params/id'],
  ]
  for (const [response, pointer] of places) {
    t.equal(response.statusCode, 400)
    const message = 'must not contain NUL characters or lone surrogates'
    const errors = [{ pointer, code: 'invalid_text', message, params: {} }]
    t.match(response.json(), { code: 'invalid_text', errors }, pointer)
  }
  const elsewhere = await request({ url: '/nowhere/%00' })
  t.notOk('errors' in elsewhere.json(), 'where nothing has a name there is no pointer')
})
