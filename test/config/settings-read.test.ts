import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { buildApp } from '#app.ts'
import { configKeys } from '#config/engine/keys.ts'
import type { Config } from '#config/schema/schema.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { testConfig } from '#test/support/helper.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Settings that are not read by an application that is built, with the file that reads them. */
const READ_ELSEWHERE: Readonly<Record<string, string>> = {
  environment: 'config/load.ts',
  'server.host': 'process/service.ts',
  'server.port': 'process/service.ts',
  'server.drain_delay': 'process/shutdown.ts',
  'server.shutdown_timeout': 'process/shutdown.ts',
  'database.migrate_on_start': 'plugins/infrastructure/migrations.ts',
  'database.tls_ca_file': 'config/engine/database-connection.ts',
  'database.tls_cert_file': 'config/engine/database-connection.ts',
  'database.tls_key_file': 'config/engine/database-connection.ts',
  'realtime.connections_per_address': 'plugins/api/realtime/refused-sockets.ts',
  'audit.checkpoint_s3.endpoint': 'lib/object-store/s3-bucket.ts',
  'audit.checkpoint_s3.region': 'lib/object-store/s3-bucket.ts',
  'files.accel_prefix': 'lib/object-store/open-object-store.ts',
  'files.s3.bucket': 'lib/object-store/open-object-store.ts',
  'files.s3.prefix': 'lib/object-store/open-object-store.ts',
  'files.s3.endpoint': 'lib/object-store/s3-bucket.ts',
  'files.s3.public_endpoint': 'lib/object-store/open-object-store.ts',
  'files.s3.download': 'lib/object-store/open-object-store.ts',
  'files.s3.region': 'lib/object-store/s3-bucket.ts',
  'files.s3.access_key_id': 'lib/object-store/open-object-store.ts',
  'files.s3.secret_access_key': 'lib/object-store/open-object-store.ts',
  'files.s3.memory': 'lib/object-store/s3-store.ts',
  'jwt.signing_key_file': 'lib/signing-keys/key-ring.ts',
  'jwt.verification_key_files': 'lib/signing-keys/key-ring.ts',
  'audit.verification_key_files': 'lib/signing-keys/key-ring.ts',
  'redis.key_prefix': 'plugins/infrastructure/redis.ts',
  'redis.command_timeout': 'plugins/infrastructure/redis.ts',
  'broker.urls': 'plugins/infrastructure/broker.ts',
  'broker.prefix': 'plugins/infrastructure/broker.ts',
  'broker.replicas': 'plugins/infrastructure/broker.ts',
  'broker.timeout': 'plugins/infrastructure/broker.ts',
  'tracing.accept_context': 'plugins/http/request/request-span.ts',
  'tracing.endpoint': 'lib/tracing/start.ts',
  'tracing.headers': 'process/service.ts',
  'tracing.sample_ratio': 'lib/tracing/start.ts',
  'tracing.service_name': 'lib/tracing/start.ts',
  'auth.breach_check.url': 'services/passwords/breached-passwords.ts',
  'auth.breach_check.timeout': 'services/passwords/breached-passwords.ts',
  'auth.breach_check.on_error': 'services/passwords/policy.ts',
  'auth.password_words': 'services/passwords/policy.ts',
}

t.test('every setting is read', async (t) => {
  const db = await createTestDatabase(t)
  const read = new Set<string>()
  const env = { APP_RATE_LIMIT__ENABLED: 'true', APP_LOG__LEVEL: 'silent' }
  const app = await buildApp(recording(testConfig(db.url, env), '', read))
  t.teardown(() => app.close())
  await app.inject('/metrics')
  for (const { path, name } of configKeys) {
    const file = READ_ELSEWHERE[path]
    if (file === undefined) t.ok(read.has(path), path)
    else t.match(readFileSync(join(ROOT, file), 'utf8'), new RegExp(`\\b${name}\\b`), `${path} in ${file}`)
  }
})

t.test('every setting has a test that sets it', async (t) => {
  const files = globSync('test/**/*.ts', { cwd: ROOT, exclude: ['test/config/{load,variables}*'] })
  const text = files.map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n')
  for (const { variable } of configKeys) t.match(text, new RegExp(`\\b${variable}(_FILE)?\\b`), variable)
})

/** The same configuration; the paths of settings that are read go into `read`. */
function recording(config: Config, path: string, read: Set<string>): Config
function recording(section: object, path: string, read: Set<string>): object
function recording(section: object, path: string, read: Set<string>): object {
  const copy = {}
  const optional = configKeys.filter(({ sections }) => sections.join('.') === path).map(({ name }) => [name])
  for (const [name = '', value] of [...optional, ...Object.entries(section)]) {
    const own = path === '' ? name : `${path}.${name}`
    const isSection = typeof value === 'object' && value !== null && !Array.isArray(value)
    const kept: unknown = isSection ? recording(value, own, read) : value
    const get = () => {
      read.add(own)
      return kept
    }
    Object.defineProperty(copy, name, { configurable: true, enumerable: value !== undefined, get })
  }
  return copy
}
