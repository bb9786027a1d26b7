import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { startInstance } from '#test/support/instances.ts'

const URL = '/api/v1/auth/login'

const USUAL = { APP_AUTH__ARGON2__MEMORY_COST: '19MiB' }

t.test('a login renews the hash when the parameters have changed, once', async (t) => {
  const { db, signUp } = await borrowTestApp(t, USUAL)
  const { user, password } = await signUp()
  const other = await signUp()
  const stronger = await startInstance(t, db, { APP_AUTH__ARGON2__MEMORY_COST: '20MiB' })
  const login = (entered: string) =>
    stronger.inject({ method: 'POST', url: URL, payload: { email: user.email, password: entered } })

  const original = await hashOf(user.id)
  t.match(original, /^\$argon2id\$v=19\$m=19456,/)
  t.equal((await login('not the password')).statusCode, 401)
  t.equal(await hashOf(user.id), original, 'a wrong password renews nothing')

  t.equal((await login(password)).statusCode, 200)
  const renewed = await hashOf(user.id)
  t.match(renewed, /^\$argon2id\$v=19\$m=20480,t=2,p=1\$/)

  t.equal((await login(password)).statusCode, 200, 'the password is still the same')
  t.equal(await hashOf(user.id), renewed, 'not a second time')
  t.match(await hashOf(other.user.id), /m=19456,/, 'others keep theirs')

  async function hashOf(id: string): Promise<string | undefined> {
    const rows = await db.query<{ password_hash: string }>('SELECT password_hash FROM users WHERE id = $1', [
      id,
    ])
    return rows[0]?.password_hash
  }
})

t.test('logins at once that all renew the hash leave one that works', async (t) => {
  const { db, signUp } = await borrowTestApp(t, USUAL)
  const { user, password } = await signUp()
  const stronger = await startInstance(t, db, { APP_AUTH__ARGON2__MEMORY_COST: '20MiB' })
  const login = () => stronger.inject({ method: 'POST', url: URL, payload: { email: user.email, password } })
  const responses = await Promise.all(Array.from({ length: 8 }, login))
  t.same(new Set(responses.map((response) => response.statusCode)), new Set([200]))
  t.equal((await login()).statusCode, 200)
})

t.test('a hash that can not be renewed now does not fail the login', async (t) => {
  const { db, signUp } = await borrowTestApp(t, USUAL)
  const { user, password } = await signUp()
  const { app, logs, logLines } = await borrowTestApp(t, {
    APP_DATABASE__URL: db.url,
    APP_AUTH__ARGON2__MEMORY_COST: '20MiB',
  })
  await db.query(`ALTER TABLE users ADD CONSTRAINT frozen CHECK (password_hash LIKE '%m=19456,%')`)
  const response = await app.inject({ method: 'POST', url: URL, payload: { email: user.email, password } })
  t.equal(response.statusCode, 200)
  t.match(
    logs().filter(({ msg }) => msg === 'could not renew a password hash'),
    [{ level: 'warn', user_id: user.id }],
  )
  for (const line of logLines) t.notMatch(line, 'argon2id', 'nor does the row get into the log')
})
