import t from 'tap'
import { version as uuidVersion } from 'uuid'
import { borrowTestApp } from '#test/support/borrow.ts'

const URL = '/api/v1/users'
const USER_KEYS = ['created_at', 'email', 'id', 'is_active', 'role', 'updated_at', 'username']
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

t.test('createUser answers with the user and where it is', async (t) => {
  const { app } = await borrowTestApp(t)
  const payload = { email: 'Ada@Example.com', username: 'Ada.L', password: 'correct horse' }
  const response = await app.inject({ method: 'POST', url: URL, payload })

  t.equal(response.statusCode, 201)
  const user = response.json()
  t.same(Object.keys(user).sort(), USER_KEYS, 'exactly the fields of a user')
  t.match(user, { email: 'Ada@Example.com', username: 'Ada.L', role: 'user', is_active: true })
  t.equal(uuidVersion(user.id), 7)
  t.match(user.created_at, RFC3339)
  t.equal(user.updated_at, user.created_at)
  t.equal(response.headers.location, `${URL}/${user.id}`)
  t.match(response.headers.etag, /^"[\d:.TZ-]+"$/)

  const login = await app.inject({ method: 'POST', url: '/api/v1/auth/login', payload: credentials(payload) })
  const authorization = `Bearer ${login.json().access_token}`
  const read = await app.inject({ url: `${response.headers.location}`, headers: { authorization } })
  t.same(read.json(), user, 'Location leads to the user')
  t.equal(read.headers.etag, response.headers.etag)
})

t.test('createUser stores a hash, and nothing keeps the password', async (t) => {
  const { app, db, logLines } = await borrowTestApp(t, { APP_AUTH__ARGON2__MEMORY_COST: '19MiB' })
  const payload = { email: 'ada@example.com', username: 'ada', password: 'never-to-be-seen-again' }
  const response = await app.inject({ method: 'POST', url: URL, payload })

  const rows = await db.query('SELECT * FROM users')
  t.equal(rows.length, 1)
  const { password_hash, created_at, updated_at, ...row } = rows[0] ?? {}
  t.match(password_hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  t.same(row, {
    id: response.json().id,
    email: 'ada@example.com',
    username: 'ada',
    role: 'user',
    is_active: true,
    email_verified_at: null,
  })
  t.same(
    [created_at, updated_at].map((time) => time.toISOString()),
    [response.json().created_at, response.json().updated_at],
  )
  for (const place of [response.body, JSON.stringify(response.headers), JSON.stringify(rows), ...logLines]) {
    t.notMatch(place, payload.password)
  }
  for (const place of [response.body, ...logLines]) t.notMatch(place, 'argon2')
})

t.test('createUser hashes with the parameters that are configured', async (t) => {
  const { app, db } = await borrowTestApp(t, {
    APP_AUTH__ARGON2__MEMORY_COST: '20MiB',
    APP_AUTH__ARGON2__TIME_COST: '3',
    APP_AUTH__ARGON2__PARALLELISM: '2',
  })
  const payload = { email: 'ada@example.com', username: 'ada', password: 'correct horse' }
  await app.inject({ method: 'POST', url: URL, payload })
  const [row] = await db.query<{ password_hash: string }>('SELECT password_hash FROM users')
  t.match(row?.password_hash, /^\$argon2id\$v=19\$m=20480,t=3,p=2\$/)
})

t.test('two users with one password have different hashes', async (t) => {
  const { app, db } = await borrowTestApp(t)
  const password = 'the very same for both'
  for (const username of ['first', 'second']) {
    const payload = { email: `${username}@example.com`, username, password }
    const response = await app.inject({ method: 'POST', url: '/api/v1/users', payload })
    t.equal(response.statusCode, 201)
  }
  const [row] = await db.query<{ hashes: string }>(
    'SELECT count(DISTINCT password_hash) AS hashes FROM users',
  )
  t.equal(row?.hashes, '2')
})

function credentials({ email, password }: { email: string; password: string }) {
  return { email, password }
}
