import t from 'tap'
import { loadConfig } from '#config/load.ts'
import { folder, key, problemsOf, production } from '../folders.ts'

t.test('outside development and test the rules are strict', async (t) => {
  const directory = folder(t, { 'staging.toml': '[metrics]\ntoken = "committed"' })
  const env = { ...production, APP_ENVIRONMENT: 'staging', APP_METRICS__TOKEN: 'own' }
  t.same(problemsOf({ directory, env }), [])
  const known = 'is a secret that a committed file contains, so it is not secret'
  t.same(
    problemsOf({ directory, env: { ...env, APP_JWT__SECRET: 'a well-known key of more than 32 bytes' } }),
    [`APP_JWT__SECRET: ${known}`],
  )
  t.same(problemsOf({ directory, env: { ...env, APP_METRICS__TOKEN: undefined } }), [
    `APP_METRICS__TOKEN (from staging.toml): ${known}`,
  ])
  t.same(problemsOf({ directory, env: { ...env, APP_CORS__ALLOWED_ORIGINS: 'https://a.example,*' } }), [
    'APP_CORS__ALLOWED_ORIGINS: may hold * in development and test only',
  ])
  t.same(problemsOf({ directory, env: { ...env, APP_DATABASE__URL: undefined } }), [
    'APP_DATABASE__URL: must be set in the environment "staging"',
  ])
  const lenient = { APP_ENVIRONMENT: 'test', APP_CORS__ALLOWED_ORIGINS: '*' }
  t.same(problemsOf({ directory, env: lenient }), [])
})

t.test('a secret in local.toml may be real, one copied there from a committed file may not', async (t) => {
  const env = { ...production, APP_JWT__SECRET: undefined }
  const real = folder(t, { 'local.toml': `[jwt]\nsecret = "${key}"` })
  t.equal(loadConfig({ directory: real, env }).config.jwt.secret, key)
  const copied = folder(t, { 'local.toml': '[jwt]\nsecret = "a well-known key of more than 32 bytes"' })
  t.match(problemsOf({ directory: copied, env }), [
    /^APP_JWT__SECRET \(from local\.toml\): is a secret that a committed/,
  ])
})

t.test('a key that is too short is refused in every environment', async (t) => {
  for (const environment of ['development', 'test', 'production']) {
    const env = { ...production, APP_ENVIRONMENT: environment, APP_JWT__SECRET: 'x'.repeat(31) }
    t.same(problemsOf({ directory: folder(t), env }), ['APP_JWT__SECRET: must be at least 32 bytes long'])
  }
})

t.test('keys that contradict each other', async (t) => {
  const directory = folder(t)
  t.same(problemsOf({ directory, env: { APP_SERVER__HEADERS_TIMEOUT: '31s' } }), [
    'APP_SERVER__HEADERS_TIMEOUT: must be at most server.request_timeout',
  ])
  t.same(problemsOf({ directory, env: { APP_SERVER__REQUEST_TIMEOUT: '14s' } }), [
    'APP_SERVER__HEADERS_TIMEOUT (from default.toml): must be at most server.request_timeout',
  ])
  t.same(problemsOf({ directory, env: { APP_DATABASE__TLS_CA_FILE: 'ca.pem' } }), [
    'APP_DATABASE__TLS_CA_FILE: has no effect while database.tls is off',
  ])
  const verify = { APP_DATABASE__TLS: 'verify', APP_DATABASE__TLS_CA_FILE: 'ca.pem' }
  t.same(problemsOf({ directory, env: verify }), [])
  t.same(problemsOf({ directory, env: { ...verify, APP_DATABASE__TLS_KEY_FILE: 'key.pem' } }), [
    'APP_DATABASE__TLS_KEY_FILE: tls_cert_file and tls_key_file belong together',
  ])
  const pair = { APP_DATABASE__TLS_KEY_FILE: 'key.pem', APP_DATABASE__TLS_CERT_FILE: 'cert.pem' }
  t.same(problemsOf({ directory, env: { ...verify, ...pair } }), [])
})

t.test('keys that verify the audit log are read beside one that signs', async (t) => {
  const directory = folder(t)
  const verification = { APP_AUDIT__VERIFICATION_KEY_FILES: 'b.pem' }
  t.same(problemsOf({ directory, env: verification }), [
    'APP_AUDIT__VERIFICATION_KEY_FILES: has no effect while audit.signing_key_file is not set',
  ])
  t.same(problemsOf({ directory, env: { ...verification, APP_AUDIT__SIGNING_KEY_FILE: 'a.pem' } }), [])
})

t.test('a bucket is named with its key, and nothing is set for one that is not named', async (t) => {
  const directory = folder(t)
  const store = { APP_FILES__STORE: 's3', APP_FILES__S3__BUCKET: 'bucket' }
  t.same(problemsOf({ directory, env: store }), [
    'APP_FILES__S3__ACCESS_KEY_ID: must be set while files.store is s3',
    'APP_FILES__S3__SECRET_ACCESS_KEY: must be set while files.store is s3',
  ])
  const endpoint = { APP_AUDIT__CHECKPOINT_S3__ENDPOINT: 'https://s3.example.com' }
  t.same(problemsOf({ directory, env: endpoint }), [
    'APP_AUDIT__CHECKPOINT_S3__BUCKET: must be set for the bucket of checkpoints',
    'APP_AUDIT__CHECKPOINT_S3__ACCESS_KEY_ID: must be set for the bucket of checkpoints',
    'APP_AUDIT__CHECKPOINT_S3__SECRET_ACCESS_KEY: must be set for the bucket of checkpoints',
  ])
  const rest = {
    APP_AUDIT__CHECKPOINT_S3__BUCKET: 'bucket',
    APP_AUDIT__CHECKPOINT_S3__ACCESS_KEY_ID: 'id',
    APP_AUDIT__CHECKPOINT_S3__SECRET_ACCESS_KEY: 'key',
  }
  t.same(problemsOf({ directory, env: { ...endpoint, ...rest } }), [])
})

t.test('all servers of a cluster get one user, so no other may be named', async (t) => {
  const directory = folder(t)
  const problems = (APP_BROKER__URLS: string) =>
    problemsOf({
      directory,
      env: { APP_ENVIRONMENT: 'development', APP_BROKER__KIND: 'nats', APP_BROKER__URLS },
    })
  t.same(problems('nats://u:p@a,tls://b,nats://u:p@c'), [])
  for (const other of ['nats://u:p@a,nats://u:q@b', 'nats://u:p@a,nats://token@b', 'nats://a,nats://u:p@b']) {
    t.same(problems(other), [
      'APP_BROKER__URLS: item 2 names another user, password or token than the first, which all servers get',
    ])
  }
})

t.test('a cluster of Centrifugo has an address, a key and a secret', async (t) => {
  const directory = folder(t)
  const env = { APP_ENVIRONMENT: 'development', APP_REALTIME__ENGINE: 'centrifugo' }
  const missing = ['URL', 'API_KEY', 'PROXY_SECRET'].map(
    (name) => `APP_REALTIME__CENTRIFUGO__${name}: must be set while realtime.engine is centrifugo`,
  )
  t.same(problemsOf({ directory, env }), missing)
  const set = { APP_REALTIME__CENTRIFUGO__URL: 'http://a', APP_REALTIME__CENTRIFUGO__API_KEY: 'b' }
  t.same(problemsOf({ directory, env: { ...env, ...set } }), missing.slice(2))
})

t.test('key files belong to EdDSA, and EdDSA to key files', async (t) => {
  const directory = folder(t)
  const eddsa = { APP_JWT__ALGORITHM: 'EdDSA' }
  const signing = { APP_JWT__SIGNING_KEY_FILE: 'a.pem' }
  const verification = { APP_JWT__VERIFICATION_KEY_FILES: 'b.pem,c.pem' }
  t.same(problemsOf({ directory, env: eddsa }), [
    'APP_JWT__SIGNING_KEY_FILE: must be set while jwt.algorithm is EdDSA',
  ])
  t.same(problemsOf({ directory, env: { ...eddsa, ...signing } }), [])
  t.same(problemsOf({ directory, env: { ...eddsa, ...signing, ...verification } }), [])
  t.same(problemsOf({ directory, env: { ...signing, ...verification } }), [
    'APP_JWT__SIGNING_KEY_FILE: has no effect while jwt.algorithm is HS256',
    'APP_JWT__VERIFICATION_KEY_FILES: has no effect while jwt.algorithm is HS256',
  ])
})
