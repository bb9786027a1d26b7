import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import type { TestApp, TestUser } from '#test/support/helper.ts'

const URL = '/api/v1/users'
const USER_KEYS = ['created_at', 'email', 'id', 'is_active', 'role', 'updated_at', 'username']

t.test('listUsers is for admins', async (t) => {
  const { request, signUp, db } = await borrowTestApp(t)
  const [admin, user] = [await signUp({ role: 'admin' }), await signUp()]
  expectProblem(t, await request({ url: URL }), { status: 401, code: 'unauthenticated' })
  expectProblem(t, await request({ url: URL, as: user }), { status: 403, code: 'forbidden' })
  expectProblem(t, await request({ url: `${URL}?limit=0`, as: user }), { status: 403, code: 'forbidden' })

  const response = await request({ url: URL, as: admin })
  t.equal(response.statusCode, 200)
  t.equal(response.headers['cache-control'], 'no-store')
  t.same(Object.keys(response.json()).sort(), ['data', 'next_cursor'])
  for (const each of response.json().data) t.same(Object.keys(each).sort(), USER_KEYS)
  t.same(response.json().data, JSON.parse(JSON.stringify([user.user, admin.user])), 'newest first')

  await db.query('UPDATE users SET is_active = false WHERE id = $1', [admin.user.id])
  // Behind the service's back: it hears of it from the database.
  await eventually(async () => (await request({ url: URL, as: admin })).statusCode !== 200)
  expectProblem(t, await request({ url: URL, as: admin }), { status: 401, code: 'unauthenticated' })
})

t.test('pages of any size give every user once, newest first', async (t) => {
  const testApp = await borrowTestApp(t)
  const admin = await testApp.signUp({ role: 'admin' })
  await insertUsers(testApp, 44)
  const rows = await testApp.db.query<{ id: string }>('SELECT id FROM users ORDER BY id DESC')
  const newestFirst = rows.map((row) => row.id)
  t.equal(newestFirst.length, 45)

  for (const limit of [1, 7, 15, 44, 45, 46, 100]) {
    const pages = await allPages(testApp, admin, `limit=${limit}`)
    t.same(pages.flat(), newestFirst, `limit ${limit}`)
    t.equal(pages.length, Math.ceil(45 / limit), 'and no empty page at the end')
  }
  t.same(
    (await allPages(testApp, admin, '')).map((page) => page.length),
    [20, 20, 5],
    'the default is 20',
  )
  t.same((await allPages(testApp, admin, 'limit=10&role=user')).flat(), newestFirst.slice(0, 44))
  t.same((await allPages(testApp, admin, 'limit=10&q=user-1')).flat().length, 11)
})

t.test('users that come and go between pages disturb no page', async (t) => {
  const testApp = await borrowTestApp(t)
  const admin = await testApp.signUp({ role: 'admin' })
  await insertUsers(testApp, 30)
  const rows = await testApp.db.query<{ id: string }>('SELECT id FROM users ORDER BY id DESC')
  const before = rows.map((row) => row.id)

  const first = await testApp.request({ url: `${URL}?limit=10`, as: admin })
  const last = first.json().data.at(-1).id
  const deleted = [before[3], last, before[15], before[25]]
  await testApp.db.query('DELETE FROM users WHERE id = ANY ($1)', [deleted])
  await insertUsers(testApp, 5, 'late')

  const seen = first.json().data.map((user: { id: string }) => user.id)
  for (let cursor = first.json().next_cursor; cursor !== null; ) {
    const page = await testApp.request({ url: `${URL}?limit=10&cursor=${cursor}`, as: admin })
    seen.push(...page.json().data.map((user: { id: string }) => user.id))
    cursor = page.json().next_cursor
  }
  const expected = before.filter((id, index) => index < 10 || !deleted.includes(id))
  t.same(seen, expected, 'each that was there is there once; newer ones are on no later page')
})

t.test('filters', async (t) => {
  const { request, signUp, db } = await borrowTestApp(t)
  const admin = await signUp({ role: 'admin', email: 'root@example.com', username: 'root' })
  const names = [
    ['ada@example.com', 'Ada.Lovelace'],
    ['Adam@Example.com', 'first_man'],
    ['100%@example.com', 'hundred'],
    ['100x@example.com', 'hundred-x'],
    ['a_b@example.com', 'a_b'],
    ['axb@example.com', 'axb'],
    ['\u00c4rger@example.com', 'umlaut'],
    ['\u7528\u6237@example.com', 'hanzi'],
    ['o`back@example.com', 'ada-2'],
  ] as const
  for (const [email, username] of names) await signUp({ email, username })
  await db.query(`UPDATE users SET is_active = false WHERE username IN ('axb', 'ada-2')`)

  const rows = [
    { query: 'q=ada', found: ['ada-2', 'first_man', 'Ada.Lovelace'] },
    { query: 'q=ADA', found: ['ada-2', 'first_man', 'Ada.Lovelace'] },
    { query: 'q=adam%40example.com', found: ['first_man'] },
    { query: 'q=da', found: [] },
    { query: 'q=example', found: [] },
    { query: 'q=100%25', found: ['hundred'] },
    { query: 'q=%25', found: [] },
    { query: 'q=_', found: [] },
    { query: 'q=a_b', found: ['a_b'] },
    { query: 'q=%5C', found: [] },
    { query: 'q=a%5C_b', found: [] },
    { query: 'q=%C3%84r', found: ['umlaut'] },
    { query: 'q=%C3%A4R', found: ['umlaut'] },
    { query: 'q=a%CC%88rger', found: ['umlaut'] },
    { query: 'q=%E7%94%A8', found: ['hanzi'] },
    { query: 'q=+ada', found: [] },
    { query: "q='%20OR%201=1", found: [] },
    { query: 'role=admin', found: ['root'] },
    { query: 'role=user&q=r', found: [] },
    { query: 'is_active=false', found: ['ada-2', 'axb'] },
    { query: 'is_active=true&q=ada', found: ['first_man', 'Ada.Lovelace'] },
    { query: 'is_active=false&q=ada&role=user', found: ['ada-2'] },
    { query: 'is_active=false&role=admin', found: [] },
    { query: 'is_active=true&role=admin&q=ROOT&limit=1', found: ['root'] },
  ]
  for (const { query, found } of rows) {
    const response = await request({ url: `${URL}?${query}`, as: admin })
    t.equal(response.statusCode, 200, query)
    const { data, next_cursor } = response.json()
    t.same(
      data.map((user: { username: string }) => user.username),
      found,
      query,
    )
    t.equal(next_cursor, null)
  }
})

t.test('listUsers refuses what it does not know', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const as = await signUp({ role: 'admin' })
  const rows = [
    { query: 'limit=0', pointers: ['/query/limit'] },
    { query: 'limit=101', pointers: ['/query/limit'] },
    { query: 'limit=-1', pointers: ['/query/limit'] },
    { query: 'limit=1.5', pointers: ['/query/limit'] },
    { query: 'limit=abc', pointers: ['/query/limit'] },
    { query: 'limit=', pointers: ['/query/limit'] },
    { query: 'limit=1e400', pointers: ['/query/limit'] },
    { query: 'limit=NaN', pointers: ['/query/limit'] },
    { query: 'limit=1&limit=2', pointers: ['/query/limit'] },
    { query: 'q=a&q=b', pointers: ['/query/q'] },
    { query: 'q=', pointers: ['/query/q'] },
    { query: `q=${'a'.repeat(255)}`, pointers: ['/query/q'] },
    { query: 'role=root', pointers: ['/query/role'] },
    { query: 'role=Admin', pointers: ['/query/role'] },
    { query: 'role=user&role=admin', pointers: ['/query/role'] },
    { query: 'is_active=yes', pointers: ['/query/is_active'] },
    { query: 'is_active=', pointers: ['/query/is_active'] },
    { query: 'cursor=', pointers: ['/query/cursor'] },
    { query: `cursor=${'a'.repeat(513)}`, pointers: ['/query/cursor'] },
    { query: 'offset=10', pointers: ['/query/offset'] },
    { query: 'Limit=10', pointers: ['/query/Limit'] },
    { query: 'limit=0&offset=1', pointers: ['/query/limit', '/query/offset'] },
  ]
  for (const { query, pointers } of rows) {
    const response = await request({ url: `${URL}?${query}`, as })
    expectProblem(t, response, { status: 400, code: 'validation_failed', pointers }, query)
  }
  expectProblem(t, await request({ url: `${URL}?q=a%00`, as }), { status: 400, code: 'invalid_text' })
})

/** Makes users named user-0, user-1, ... without the cost of hashes. */
async function insertUsers({ db }: TestApp, count: number, prefix = 'user'): Promise<void> {
  for (let index = 0; index < count; index++) {
    const name = `${prefix}-${index}`
    await db.query(
      `INSERT INTO users (id, email, username, password_hash) VALUES ($1, $2, $3, '$argon2id$none')`,
      [uuidv7(), `${name}@example.com`, name],
    )
  }
}

async function allPages({ request }: TestApp, as: TestUser, query: string): Promise<string[][]> {
  const pages: string[][] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const position: string = cursor && `&cursor=${cursor}`
    const page = (await request({ url: `${URL}?${query}${position}`, as })).json()
    pages.push(page.data.map((user: { id: string }) => user.id))
    cursor = page.next_cursor
  }
  return pages
}
