import t from 'tap'
import { runCommand } from '#test/support/command.ts'
import { createTestDatabase } from '#test/support/database.ts'

const PRODUCTION = {
  APP_ENVIRONMENT: 'production',
  APP_DATABASE__TLS: 'off',
  APP_JWT__SECRET: 'a secret of a test that is long enough for anybody',
  APP_SERVER__PUBLIC_URL: 'https://api.example.com',
}

const run = (name: string, args: string[], env: Record<string, string>) => runCommand(name, args, { env })

t.test('seed: users of each role, once, and never in production', async (t) => {
  const { url, query } = await createTestDatabase(t)
  const env = { APP_DATABASE__URL: url }
  const first = await run('seed', [], env)
  t.match(first, { code: 0, stderr: '', stdout: /root@example.com +admin +correct horse/ })
  const all = () => query('SELECT email, role, password_hash, is_active FROM users ORDER BY email')
  const users = await all()
  t.match(users, [
    { email: 'ada@example.com', role: 'user' },
    { email: 'grace@example.com', role: 'user' },
    { email: 'root@example.com', role: 'admin' },
  ])
  t.match(await run('seed', [], env), { code: 0, stdout: /root@example.com +admin +was there already/ })
  t.same(await all(), users)
  const refused = await run('seed', [], { ...env, ...PRODUCTION })
  t.match(refused, { code: 1, stdout: '', stderr: /^The passwords of these users are public/ })
  t.match(await run('seed', ['more'], env), { code: 2, stderr: /\nUsage: npm run seed/ })
})

t.test('db:reset: everything is new, when it is confirmed, and never in production', async (t) => {
  const { url, query } = await createTestDatabase(t)
  const env = { APP_DATABASE__URL: url }
  await query('CREATE TABLE draft (); CREATE SCHEMA other; CREATE TABLE other.one ()')
  const left = () => query("SELECT to_regclass('draft') AS draft, to_regclass('other.one') AS other")
  t.match(await run('db-reset', [], env), { code: 1, stdout: '', stderr: /will be lost[\s\S]*Add --yes/ })
  const refused = await run('db-reset', ['--yes'], { ...env, ...PRODUCTION })
  t.match(refused, { code: 1, stdout: '', stderr: /^Only a database of development is reset/ })
  t.same(await left(), [{ draft: 'draft', other: 'other.one' }])
  t.match(await run('db-reset', ['--yes'], env), { code: 0, stdout: /^The database is empty/ })
  t.same(await left(), [{ draft: null, other: null }])
  t.same(await query('SELECT email FROM users'), [])
  t.match(await run('db-reset', ['now'], env), { code: 2, stderr: /\nUsage: npm run db:reset/ })
})
