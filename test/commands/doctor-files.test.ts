import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { findings, PRODUCTION } from '#test/support/doctor.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { startS3 } from '#test/support/s3-server.ts'

t.test('keys and files of secrets', async (t) => {
  const { url } = await createTestDatabase(t)
  const file = join(t.testdir(), 'database_url')
  await writeFile(file, url)
  await chmod(file, 0o644)
  const { APP_JWT__SECRET, ...rest } = PRODUCTION
  const secret = join(t.testdirName, 'jwt')
  await writeFile(secret, APP_JWT__SECRET, { mode: 0o600 })
  const found = await findings(t, { ...rest, APP_DATABASE__URL_FILE: file, APP_JWT__SECRET_FILE: secret })
  const exposed = found.filter((line) => line.includes('secret files'))
  t.equal(exposed.length, 1, found.join('\n'))
  t.match(exposed[0], /^problem secret files: Every account .*database_url \(mode 644\).*chmod o= /)
  t.match(
    await findings(t, {
      APP_DATABASE__URL: url,
      APP_JWT__ALGORITHM: 'EdDSA',
      APP_JWT__SIGNING_KEY_FILE: join(t.testdirName, 'none.pem'),
    }),
    [/^problem signing keys: jwt\.signing_key_file: .*npm run keys -- new/],
  )
})

t.test('the keys and copies of the audit log', async (t) => {
  const { url } = await createTestDatabase(t)
  const folder = t.testdir({ file: 'no directory' })
  const { privateKey } = generateKeyPairSync('ed25519')
  const key = join(folder, 'key.pem')
  await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  const look = (env: Record<string, string>) => findings(t, { APP_DATABASE__URL: url, ...env })
  t.same(await look({ APP_AUDIT__SIGNING_KEY_FILE: key }), [])
  await chmod(key, 0o644)
  t.match(await look({ APP_AUDIT__SIGNING_KEY_FILE: key }), [
    /^problem audit log: Every account .*key\.pem.*chmod 600/,
  ])
  const missing = { APP_AUDIT__SIGNING_KEY_FILE: join(folder, 'none.pem') }
  t.match(await look({ ...missing, APP_AUDIT__CHECKPOINT_DIRECTORY: join(folder, 'file', 'below') }), [
    /^problem audit log: audit\.signing_key_file: .*none\.pem cannot be read/,
    /^problem audit log: .*cannot be written to: ENOTDIR.*APP_AUDIT__CHECKPOINT_DIRECTORY/,
  ])
  t.same(await look({ APP_AUDIT__CHECKPOINT_DIRECTORY: join(folder, 'is', 'made') }), [])

  const s3 = await startS3(t)
  const bucket = {
    APP_AUDIT__CHECKPOINT_S3__BUCKET: 'bucket',
    APP_AUDIT__CHECKPOINT_S3__ENDPOINT: s3.endpoint,
    APP_AUDIT__CHECKPOINT_S3__ACCESS_KEY_ID: s3.credentials.AWS_ACCESS_KEY_ID,
    APP_AUDIT__CHECKPOINT_S3__SECRET_ACCESS_KEY: s3.credentials.AWS_SECRET_ACCESS_KEY,
  }
  t.same(await look(bucket), [])
  t.match(await look({ ...bucket, APP_AUDIT__CHECKPOINT_S3__SECRET_ACCESS_KEY: 'another' }), [
    /^problem audit log: The bucket of checkpoints cannot be used: .*SignatureDoesNotMatch/,
  ])
})

t.test('a directory that takes no file, whatever its permissions say', async (t) => {
  const { url } = await createTestDatabase(t)
  t.match(await findings(t, { APP_DATABASE__URL: url, APP_FILES__DIRECTORY: '/proc/files' }), [
    /^problem files: .*cannot be written to: /,
  ])
})

t.test('encrypted values whose key is not configured', async (t) => {
  const [key, other] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]
  const { app, db } = await createTestApp(t, { APP_ENCRYPTION__KEYS: key })
  const tenant = await createOrganization(app)
  await tenant.createWebhook()
  const look = (keys: Record<string, string>) => findings(t, { APP_DATABASE__URL: db.url, ...keys })
  t.same(await look({ APP_ENCRYPTION__KEYS: key }), [])
  t.same(await look({ APP_ENCRYPTION__KEYS: `${other},${key}` }), [])
  t.match(await look({ APP_ENCRYPTION__KEYS: other }), [
    /^problem encryption: 1 encrypted value needs the key [0-9a-f]{16}, .*APP_ENCRYPTION__KEYS/,
  ])
})

t.test('files', async (t) => {
  const { url } = await createTestDatabase(t)
  const folder = t.testdir({ file: 'no directory' })
  const look = (env: Record<string, string>) => findings(t, { APP_DATABASE__URL: url, ...env })
  t.same(await look({ APP_FILES__STORE: 'none' }), [])
  t.same(await look({ APP_FILES__DIRECTORY: join(folder, 'is', 'made') }), [])
  t.match(await look({ APP_FILES__DIRECTORY: join(folder, 'file', 'below') }), [
    /^problem files: .*cannot be written to: ENOTDIR/,
  ])
  const bucket = {
    APP_FILES__STORE: 's3',
    APP_FILES__S3__BUCKET: 'bucket',
    APP_FILES__S3__ENDPOINT: 'http://127.0.0.1:1',
    APP_FILES__S3__ACCESS_KEY_ID: 'id',
    APP_FILES__S3__SECRET_ACCESS_KEY: 'key',
  }
  t.match(await look(bucket), [/^problem files: The object store cannot be used: .*cannot be reached/])
  const s3 = await startS3(t)
  const working = {
    ...bucket,
    APP_FILES__S3__ENDPOINT: s3.endpoint,
    APP_FILES__S3__ACCESS_KEY_ID: s3.credentials.AWS_ACCESS_KEY_ID,
    APP_FILES__S3__SECRET_ACCESS_KEY: s3.credentials.AWS_SECRET_ACCESS_KEY,
  }
  t.same(await look(working), [])
  t.equal(s3.objects.size, 0, 'nothing is left')
  s3.busy('PUT', 1000)
  t.match(await look(working), [/^problem files: The object store cannot be used: /], 'it only reads')
  const production = await look({
    ...PRODUCTION,
    ...bucket,
    APP_FILES__PUBLIC_URL: 'https://files.example.com',
  })
  t.notOk(production.some((line) => line.includes('origin')))
  const shared = await look({ ...PRODUCTION, ...bucket })
  t.ok(shared.some((line) => line.startsWith('warning files: Links to files have the origin')))
})
