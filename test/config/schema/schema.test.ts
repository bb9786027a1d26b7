import t from 'tap'
import { configKeys } from '#config/engine/keys.ts'
import { parseDuration, parseSize } from '#config/engine/units.ts'

t.test('every key says what it means, in a sentence or more', async (t) => {
  for (const { path, schema } of configKeys) t.match(schema.description, /^[A-Z`][^\n]*\.$/, path)
})

t.test('every quantity has bounds that can be read', async (t) => {
  for (const { path, schema } of configKeys) {
    for (const [bounds, parse] of [
      [schema['x-duration'], parseDuration],
      [schema['x-size'], parseSize],
    ] as const) {
      if (bounds) t.ok((parse(bounds.minimum) ?? 1) < (parse(bounds.maximum) ?? 0), path)
    }
    if (schema.type === 'integer' || schema.type === 'number') {
      t.type(schema.minimum, 'number', path)
      t.type(schema.maximum, 'number', path)
    }
  }
})

t.test('the keys that are secrets', async (t) => {
  const secrets = configKeys.filter((key) => key.secret).map((key) => key.path)
  t.same(secrets, [
    'database.url',
    'database.replica_urls',
    'redis.url',
    'jwt.secret',
    'encryption.keys',
    'metrics.token',
    'tracing.headers',
    'errors.dsn',
    'audit.checkpoint_s3.access_key_id',
    'audit.checkpoint_s3.secret_access_key',
    'webhooks.proxy_url',
    'broker.urls',
    'realtime.centrifugo.api_key',
    'realtime.centrifugo.proxy_secret',
    'files.s3.access_key_id',
    'files.s3.secret_access_key',
    'email.smtp_url',
  ])
})
