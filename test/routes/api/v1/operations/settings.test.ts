import t from 'tap'
import { buildApp } from '#app.ts'
import { configKeys } from '#config/engine/keys.ts'
import { loadConfig } from '#config/load.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { signUp } from '#test/support/helper.ts'

interface Setting {
  key: string
  value: string | null
  is_secret: boolean
  is_set: boolean
  origin: string
  source: string | null
  description: string
}

t.test('settings are listed with where they came from, and no secret is', async (t) => {
  const db = await createTestDatabase(t)
  const secret = 'a secret that nobody may see, with 32 bytes and more'
  const env = {
    APP_ENVIRONMENT: 'test',
    APP_ROLE: 'web',
    APP_DATABASE__URL: db.url,
    APP_DATABASE__MIGRATE_ON_START: 'false',
    APP_JWT__SECRET: secret,
    APP_SERVER__PORT: '8181',
    APP_LOG__LEVEL: 'error',
  }
  const { config, sources } = loadConfig({ env })
  const app = await buildApp(config, { sources })
  t.teardown(() => app.close())
  const { headers } = await signUp(app, { role: 'admin' })
  const list = async (query: string): Promise<Setting[]> => {
    const found: Setting[] = []
    for (let cursor = ''; ; ) {
      const response = await app.inject({
        url: `/api/v1/operations/settings?limit=100${query}${cursor}`,
        headers,
      })
      t.equal(response.statusCode, 200, response.body)
      t.notMatch(response.body, secret)
      t.notMatch(response.body, new URL(db.url).password || /$^/)
      found.push(...response.json().data)
      if (response.json().next_cursor === null) return found
      cursor = `&cursor=${response.json().next_cursor}`
    }
  }
  const all = await list('')
  t.strictSame(
    all.map(({ key }) => key),
    configKeys.map(({ path }) => path),
  )
  const known = new Map(all.map((setting) => [setting.key, setting]))
  t.match(known.get('server.port'), { value: '8181', origin: 'environment', source: 'APP_SERVER__PORT' })
  t.match(known.get('jwt.secret'), { value: null, is_secret: true, is_set: true, origin: 'environment' })
  t.match(known.get('server.host'), { origin: 'default', source: 'default.toml' })
  t.match(known.get('environment'), { value: '"test"', origin: 'environment' })
  t.match(known.get('redis.url'), { value: null, is_set: false, origin: 'default', source: null })
  t.ok(all.some(({ origin, source }) => origin === 'file' && source === 'test.toml'))
  for (const { key, description } of all) t.ok(description.length > 0, key)
  const found = await list('&q=REFRESH')
  t.ok(found.length > 0 && found.length < all.length)
})
