import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { buildApp } from '#app.ts'
import { UnboundRole } from '#lib/database/role.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { testConfig } from '#test/support/helper.ts'

const QUIET = { APP_LOG__LEVEL: 'silent', APP_ROLE: 'web' }
const STRICT = {
  ...QUIET,
  APP_ENVIRONMENT: 'production',
  APP_SERVER__HOST: '127.0.0.1',
  APP_SERVER__PUBLIC_URL: 'https://api.example.com',
  APP_JWT__SECRET: 'only-for-the-test-of-roles-0123456789abcdef',
}

/** A database, and a role that owns it, whose attributes the test changes. */
async function createRole(t: Test) {
  const db = await createTestDatabase(t)
  const name = `role_${randomBytes(6).toString('hex')}`
  await db.querySuper(`CREATE ROLE ${name} LOGIN PASSWORD 'secret' IN ROLE groundwork`)
  t.teardown(() => db.querySuper(`DROP ROLE ${name}`))
  const url = new URL(db.url)
  url.username = name
  url.password = 'secret'
  return { url: url.href, alter: (attributes: string) => db.querySuper(`ALTER ROLE ${name} ${attributes}`) }
}

t.test('a role that row-level security does not bind ends the start', async (t) => {
  const { url, alter } = await createRole(t)
  for (const [attribute, reset] of [
    ['SUPERUSER', 'NOSUPERUSER'],
    ['BYPASSRLS', 'NOBYPASSRLS'],
  ]) {
    await alter(`${attribute}`)
    await t.rejects(buildApp(testConfig(url, STRICT)), UnboundRole)
    await alter(`${reset}`)
  }
})

t.test('one that becomes such later takes the instance out of service', async (t) => {
  const { url, alter } = await createRole(t)
  const app = await buildApp(testConfig(url, STRICT))
  await app.ready()
  await alter('BYPASSRLS')
  const response = await app.inject('/ready')
  t.equal(response.statusCode, 503)
  t.match(response.json().checks[0], {
    name: 'database',
    reason: 'the database role bypasses row-level security',
  })
  await app.close()
})

t.test('in development and tests it is allowed', async (t) => {
  const { url, alter } = await createRole(t)
  await alter('SUPERUSER')
  const app = await buildApp(testConfig(url, QUIET))
  await app.ready()
  t.equal((await app.inject('/ready')).statusCode, 200)
  await app.close()
})
