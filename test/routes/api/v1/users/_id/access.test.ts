import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'

const url = (id: string) => `/api/v1/users/${id}`
const METHODS = ['GET', 'PATCH', 'DELETE'] as const

t.test('a user sees and changes itself, an admin everybody', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const [ada, admin] = [await signUp(), await signUp({ role: 'admin' })]
  for (const as of [ada, admin]) {
    const read = await request({ url: url(ada.user.id), as })
    t.equal(read.statusCode, 200)
    t.same(read.json(), JSON.parse(JSON.stringify(ada.user)))
    t.match(read.headers, { etag: /^"[\d:.TZ-]+"$/, 'cache-control': 'no-store' })
    const known = await request({
      url: url(ada.user.id),
      as,
      headers: { 'if-none-match': String(read.headers.etag) },
    })
    t.equal(known.statusCode, 304)
    const upper = await request({ url: url(ada.user.id.toUpperCase()), as: admin })
    t.same(upper.json(), read.json(), 'an id in capitals is the same id')
  }
  const changes = [
    { as: ada, payload: { username: 'by-herself' } },
    { as: admin, payload: { username: 'by-an-admin' } },
  ]
  for (const { as, payload } of changes) {
    const response = await request({ method: 'PATCH', url: url(ada.user.id), as, payload })
    t.equal(response.statusCode, 200)
    t.match(response.json(), payload)
  }
  const removed = await request({ method: 'DELETE', url: url(ada.user.id), as: admin })
  t.equal(removed.statusCode, 204)
  expectProblem(t, await request({ url: url(ada.user.id), as: admin }), {
    status: 404,
    code: 'user_not_found',
  })
})

t.test("an id in capitals is still one's own", async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const as = await signUp()
  const response = await request({ url: url(as.user.id.toUpperCase()), as })
  t.equal(response.statusCode, 200)
})

t.test('others learn nothing, not even whether the id exists', async (t) => {
  const { request, signUp, db } = await borrowTestApp(t)
  const [ada, bob, admin] = [await signUp(), await signUp(), await signUp({ role: 'admin' })]
  const before = await db.query('SELECT * FROM users ORDER BY id')
  for (const method of METHODS) {
    const payload = method === 'PATCH' ? { payload: { username: 'taken-over' } } : {}
    const seen = []
    for (const id of [bob.user.id, admin.user.id, uuidv7(), '00000000-0000-0000-0000-000000000000']) {
      const response = await request({ method, url: url(id), as: ada, ...payload })
      expectProblem(t, response, { status: 403, code: 'forbidden', absent: [id, bob.user.email] }, method)
      const { request_id, ...body } = response.json()
      const { date, 'x-request-id': _, ...headers } = response.headers
      seen.push({ body, headers })
    }
    for (const each of seen) t.same(each, seen[0], `${method}: all the same`)
    const anonymous = await request({ method, url: url(bob.user.id), ...payload })
    expectProblem(t, anonymous, { status: 401, code: 'unauthenticated' }, `${method} without a token`)
  }
  t.same(await db.query('SELECT * FROM users ORDER BY id'), before, 'nothing changed')
})

t.test('invalid ids', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const as = await signUp({ role: 'admin' })
  const invalid = [
    '1',
    'Me',
    `${as.user.id}0`,
    as.user.id.slice(1),
    `{${as.user.id}}`,
    `urn:uuid:${as.user.id}`,
  ]
  for (const method of METHODS) {
    const payload = method === 'PATCH' ? { payload: { username: 'new-name' } } : {}
    for (const id of [...invalid, as.user.id.replaceAll('-', ''), '%20', "'--", 'x'.repeat(300)]) {
      const response = await request({ method, url: url(id), as, ...payload })
      const expected = { status: 400, code: 'validation_failed', pointers: ['/params/id'] }
      expectProblem(t, response, expected, `${method} ${id}`)
    }
    const missing = await request({ method, url: url(uuidv7()), as, ...payload })
    expectProblem(t, missing, { status: 404, code: 'user_not_found' }, `${method} of nobody`)
  }
})
