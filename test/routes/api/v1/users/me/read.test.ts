import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'

const URL = '/api/v1/users/me'
const USER_KEYS = ['created_at', 'email', 'id', 'is_active', 'role', 'updated_at', 'username']

t.test('getCurrentUser answers with the signed-in user', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const [ada, bob] = [await signUp(), await signUp({ role: 'admin' })]
  for (const as of [ada, bob]) {
    const response = await request({ url: URL, as })
    t.equal(response.statusCode, 200)
    t.equal(response.headers['cache-control'], 'no-store')
    t.same(Object.keys(response.json()).sort(), USER_KEYS)
    t.same(response.json(), JSON.parse(JSON.stringify(as.user)))
  }
  expectProblem(t, await request({ url: URL }), { status: 401, code: 'unauthenticated' })
})

t.test('If-None-Match: 304 when the client has this version', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const as = await signUp()
  const { headers, body } = await request({ url: URL, as })
  const etag = String(headers.etag)
  t.match(etag, /^"[\d:.TZ-]+"$/)

  const rows = [
    { tags: etag, status: 304 },
    { tags: `W/${etag}`, status: 304 },
    { tags: `"other", ${etag}`, status: 304 },
    { tags: `"other",W/${etag} ,"third"`, status: 304 },
    { tags: '*', status: 304 },
    { tags: '"other"', status: 200 },
    { tags: etag.slice(1, -1), status: 200 },
    { tags: `w/${etag}`, status: 200 },
    { tags: `${etag.slice(0, -1)}0"`, status: 200 },
    { tags: '', status: 200 },
    { tags: ',,,', status: 200 },
  ]
  for (const { tags, status } of rows) {
    for (const method of ['GET', 'HEAD'] as const) {
      const response = await request({ method, url: URL, as, headers: { 'if-none-match': tags } })
      t.equal(response.statusCode, status, `${method} ${tags}`)
      t.equal(response.headers.etag, etag)
      t.equal(response.body, status === 304 || method === 'HEAD' ? '' : body)
    }
  }

  const patch = { method: 'PATCH', url: URL, as, payload: { username: 'renamed' } } as const
  const patched = await request({ ...patch, headers: { 'if-none-match': '*' } })
  t.equal(patched.statusCode, 200, 'it is for reading')
  t.not(patched.headers.etag, etag)
  const stale = await request({ url: URL, as, headers: { 'if-none-match': etag } })
  t.equal(stale.statusCode, 200, 'the old tag is no longer known')
  t.equal(stale.json().username, 'renamed')
})
