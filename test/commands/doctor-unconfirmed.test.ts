import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import type { Result } from '#commands/doctor/examine.ts'
import { runCommand } from '#test/support/command.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { nextMail, tokenIn } from '#test/support/mails.ts'

const run = (db: TestDatabase, command: string, ...args: string[]) =>
  runCommand(command, args, {
    env: { APP_SERVER__PORT: '0', APP_DATABASE__URL: db.url, APP_AUTH__REGISTRATION: 'verify' },
  })

/** Returns the doctor's findings about users, one line each. */
async function findings(db: TestDatabase): Promise<string[]> {
  const { stdout } = await run(db, 'doctor', '--json')
  const { results }: { results: Result[] } = JSON.parse(stdout)
  return results
    .filter(({ check }) => check === 'unconfirmed users')
    .flatMap(({ findings }) => findings.map(({ severity, what }) => `${severity}: ${what}`))
}

async function insert(
  db: TestDatabase,
  name: string,
  { role = 'user', days = 0, hash = '$argon2id$x' } = {},
) {
  await db.query(
    `INSERT INTO users (id, email, username, password_hash, role, created_at)
     VALUES ($1, $2, $3, $4, $5, now() - $6 * interval '1 day')`,
    [uuidv7(), `${name}@example.com`, name, hash === '' ? null : hash, role, days],
  )
}

t.test('accounts that a change to verify keeps out are counted, and can be accepted', async (t) => {
  const db = await createTestDatabase(t)
  const unconfirmed = async () =>
    (await db.query('SELECT username FROM users WHERE email_verified_at IS NULL ORDER BY 1')).map(
      (row) => row['username'],
    )
  await insert(db, 'ada', { days: 3 })
  await insert(db, 'bob', { days: 1 })
  await insert(db, 'guest', { days: 3, hash: '' })
  t.match(await findings(db), [/^warning: 2 active accounts, 0 of admins, cannot sign in/])
  await insert(db, 'root', { role: 'admin' })
  t.match(await findings(db), [/^problem: 3 active accounts, 1 of admins, cannot sign in/])

  t.match(await run(db, 'admin', 'verify', '--email', 'ROOT@example.com'), {
    code: 0,
    stdout: '1 address is confirmed now\n',
  })
  t.match(await findings(db), [/^warning: 2 active accounts, 0 of admins/])
  const before = new Date(Date.now() - 2 * 86_400_000).toISOString()
  t.match(await run(db, 'admin', 'verify', '--registered-before', before), {
    code: 0,
    stdout: '1 address is confirmed now\n',
  })
  t.same(await unconfirmed(), ['bob', 'guest'], 'who registered later, or has no password yet, is not')
  for (const args of [
    ['verify', '--registered-before', '2026-12-01T10:00:00'],
    ['promote', '--email', 'a@example.com', '--registered-before', before],
  ]) {
    t.match(await run(db, 'admin', ...args), { code: 2, stdout: '' }, args.join(' '))
  }
})

t.test('who registered while registration was open finds back in', async (t) => {
  const { app: open, db } = await createTestApp(t)
  const app = await startInstance(t, db, { APP_AUTH__REGISTRATION: 'verify' })
  const password = 'correct horse battery staple'
  const post = (path: string, payload: object) =>
    app.inject({ method: 'POST', url: `/api/v1/auth/${path}`, payload })
  for (const way of ['resend', 'forgot']) {
    const email = `${way}@example.com`
    await open.inject({ method: 'POST', url: '/api/v1/users', payload: { email, username: way, password } })
    t.equal((await post('login', { email, password })).json().code, 'invalid_credentials', way)
    if (way === 'resend') {
      await post('email/resend', { email })
      const token = tokenIn(await nextMail(app, email))
      t.equal((await post('email/verify', { token })).statusCode, 204)
    } else {
      await post('password/forgot', { email })
      const token = tokenIn(await nextMail(app, email))
      t.equal((await post('password/reset', { token, password })).statusCode, 204)
    }
    t.equal((await post('login', { email, password })).statusCode, 200, way)
  }
})
