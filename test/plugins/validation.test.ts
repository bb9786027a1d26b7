import t from 'tap'
import { createTestApp } from '../helper.ts'

t.test('what is wrong is pointed at', async (t) => {
  const { request, signUp } = await createTestApp(t, {}, async (instance) => {
    const text = { type: 'string', pattern: '^a+$' }
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

  t.strictSame(await login({}), [
    { pointer: '/body/email', message: 'is required' },
    { pointer: '/body/password', message: 'is required' },
  ])
  t.strictSame(await login({ email: 'no address', password: 'long enough', 'a/b~c': 1 }), [
    { pointer: '/body/a~1b~0c', message: 'is not a property that is known here' },
    { pointer: '/body/email', message: 'must be one plain email address' },
  ])
  t.strictSame(await login({ email: 'ada@example.com', password: 12345678 }), [
    { pointer: '/body/password', message: 'must be string' },
  ])
  t.strictSame(await errorsOf({ url: '/api/v1/users?role=king&limit=0', as }), [
    { pointer: '/query/limit', message: 'must be >= 1' },
    { pointer: '/query/role', message: 'must be one of user, admin' },
  ])
  t.strictSame(await errorsOf({ url: '/api/v1/users/7', as }), [
    { pointer: '/params/id', message: 'must match format "uuid"' },
  ])
  t.strictSame(await errorsOf({ url: '/pattern?text=b' }), [
    { pointer: '/query/text', message: 'must match pattern "^a+$"' },
  ])
})

t.test('bodies are not coerced, query strings are', async (t) => {
  const { request, signUp } = await createTestApp(t)
  const as = await signUp({ role: 'admin' })
  const page = await request({ url: '/api/v1/users?limit=5&is_active=true', as })
  t.equal(page.statusCode, 200)
  for (const value of [1, 'true', null, []]) {
    const url = `/api/v1/users/${as.user.id}`
    const response = await request({ method: 'PATCH', url, payload: { is_active: value }, as })
    t.equal(response.statusCode, 400, JSON.stringify(value))
  }
})
