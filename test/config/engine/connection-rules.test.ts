import { join } from 'node:path'
import t from 'tap'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { loadConfig } from '#config/load.ts'
import type { Config } from '#config/schema/schema.ts'
import { folder, problemsOf, production } from '../folders.ts'

const URL_VARIABLE = 'APP_DATABASE__URL'

t.test('what the query says must not differ from the settings that own it', async (t) => {
  const directory = folder(t)
  const problems = (query: string, env: Record<string, string> = {}) =>
    problemsOf({
      directory,
      env: {
        ...production,
        APP_DATABASE__TLS: 'off',
        APP_DATABASE__URL: `postgres://a:b@h/d?${query}`,
        ...env,
      },
    })
  const accepted: [string, string][] = [
    ['sslmode=disable', 'off'],
    ['sslmode=prefer', 'off'],
    ['sslmode=require', 'require'],
    ['sslmode=require', 'verify'],
    ['sslmode=verify-full', 'verify'],
    ['sslmode=verify-full&sslrootcert=system', 'verify'],
  ]
  for (const [query, tls] of accepted)
    t.same(problems(query, { APP_DATABASE__TLS: tls }), [], `${query} ${tls}`)
  const refused: [string, string, RegExp][] = [
    [
      'sslmode=disable',
      'verify',
      /sslmode in its query is disable, and APP_DATABASE__TLS is verify: .* set APP_DATABASE__TLS to off$/,
    ],
    ['sslmode=require', 'off', /is require, and APP_DATABASE__TLS is off: .* to require$/],
    ['sslmode=no-verify', 'off', /to require$/],
    ['sslmode=verify-ca', 'require', /to verify$/],
    ['sslmode=verify-full', 'require', /to verify$/],
    ['sslmode=constructor', 'off', /is not a mode of TLS/],
    ['sslrootcert=ca.pem', 'verify', /sslrootcert names a file, and APP_DATABASE__TLS_CA_FILE names none/],
    ['sslcert=c.pem', 'off', /sslcert names a file/],
  ]
  for (const [query, tls, expected] of refused) {
    const found = problems(query, { APP_DATABASE__TLS: tls })
    t.equal(found.length, 1, `${query} ${tls}`)
    t.match(found[0], expected)
  }
  const ca = { APP_DATABASE__TLS: 'verify', APP_DATABASE__TLS_CA_FILE: 'ca.pem' }
  t.same(problems('sslrootcert=ca.pem', ca), [])
  t.match(problems('sslrootcert=other.pem', ca), [/APP_DATABASE__TLS_CA_FILE another:/])
})

t.test('the query holds nothing else', async (t) => {
  const directory = folder(t)
  const owners: [string, RegExp][] = [
    ['options=-c%20statement_timeout%3D0', /holds options in its query, .*: leave it out$/],
    ['statement_timeout=0', /set database\.statement_timeout$/],
    ['connect_timeout=0', /set database\.connection_timeout$/],
    ['application_name=x', /leave it out$/],
    ['target_session_attrs=any', /leave it out$/],
    ['ssl=true', /set database\.tls$/],
    ['constructor=x', /leave it out$/],
    ['p%40ss=x', /holds a parameter in its query/],
  ]
  for (const [query, expected] of owners) {
    const env = { ...production, APP_DATABASE__URL: `postgres://a:secret@h/d?${query}` }
    const found = problemsOf({ directory, env })
    t.match(found, [expected], query)
    t.notMatch(found.join(), 'secret')
  }
})

t.test('variables of other programs', async (t) => {
  const directory = folder(t)
  const problems = (env: Record<string, string>) => problemsOf({ directory, env: { ...production, ...env } })
  // They are not read, so what they say of anything but safety is nobody's business.
  t.same(
    problems({ PGHOST: 'x', PGUSER: 'y', PGPASSWORD: 'z', PGOPTIONS: '-c x=y', PGSSLMODE: 'prefer' }),
    [],
  )
  t.match(problems({ PGSSLMODE: 'verify-full' }), [
    /^PGSSLMODE is verify-full, and APP_DATABASE__TLS \(from default\.toml\) is off: .*set APP_DATABASE__TLS to verify$/,
  ])
  t.same(problems({ PGSSLMODE: 'verify-full', APP_DATABASE__TLS: 'verify' }), [])
  t.match(problems({ PGSSLROOTCERT: 'x.pem', APP_DATABASE__TLS: 'verify' }), [/PGSSLROOTCERT names a file/])
  t.match(problems({ NODE_PG_FORCE_NATIVE: '1' }), [/^NODE_PG_FORCE_NATIVE: /])
  t.match(problems({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }), [
    /^NODE_TLS_REJECT_UNAUTHORIZED: .*NODE_EXTRA_CA_CERTS$/,
  ])
  t.same(problems({ NODE_TLS_REJECT_UNAUTHORIZED: '0', APP_ENVIRONMENT: 'test' }), [])
  const traces = { APP_TRACING__ENDPOINT: 'http://collector:4318' }
  t.match(problems({ ...traces, OTEL_EXPORTER_OTLP_HEADERS: 'a=b' }), [
    /^OTEL_EXPORTER_OTLP_HEADERS: .*APP_TRACING__HEADERS$/,
  ])
  t.same(problems({ ...traces, OTEL_SERVICE_NAME: 'x', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://y' }), [])
  t.same(problems({ OTEL_EXPORTER_OTLP_HEADERS: 'a=b' }), [], 'traces are off')
})

t.test('a Unix socket has no TLS', async (t) => {
  const env = {
    ...production,
    APP_DATABASE__URL: 'postgres://a@/d?host=/run/postgresql',
    APP_DATABASE__TLS: 'off',
  }
  const directory = folder(t)
  t.same(problemsOf({ directory, env }), [])
  t.match(problemsOf({ directory, env: { ...env, APP_DATABASE__TLS: 'verify' } }), [
    /names a Unix socket.*TLS to off$/,
  ])
})

t.test('an address is what the URL says, whatever stands around it', async (t) => {
  const directory = folder(t)
  const optionsOf = async (url: string) =>
    connectionOptions(loadConfig({ directory, env: { ...production, [URL_VARIABLE]: url } }).config.database)
  t.match(await optionsOf(' postgres://us%20er:p%40%3A%2F%3F%23%25@[::1]:5433/na%2Fme\n'), {
    host: '::1',
    port: 5433,
    user: 'us er',
    password: 'p@:/?#%',
    database: 'na/me',
    ssl: false,
  })
  t.match(await optionsOf('postgres://a@h/d/?sslmode=disable'), { host: 'h', database: 'd' })
  t.match(await optionsOf('postgres://a@%2Frun%2Fpostgresql/d'), {
    host: '/run/postgresql',
    port: 5432,
    password: undefined,
  })
  const toml = folder(t, {
    'local.toml': '[database]\nurl = "\\n postgres://a@h/d \\t"\n[server]\nhost = " ::1 "',
  })
  const { config } = loadConfig({ directory: toml, env: { ...production, [URL_VARIABLE]: undefined } })
  t.match(config, { database: { url: 'postgres://a@h/d' }, server: { host: '::1' } })
  const blank = {
    ...production,
    APP_ENVIRONMENT: ' production\n',
    APP_SERVER__PORT: ' 81 ',
    APP_DATABASE__MIGRATE_ON_START: 'false ',
  }
  t.match(loadConfig({ directory, env: blank }).config, {
    environment: 'production',
    server: { port: 81 },
    database: { migrate_on_start: false },
  })
})

t.test('a URL that cannot be meant as it stands is refused with the reason', async (t) => {
  const directory = folder(t)
  const table: [string, RegExp][] = [
    ['postgres://a:1?secret@h/d', /percent-encode characters such as/],
    ['postgres://a:1/secret@h/d', /percent-encode characters such as/],
    ['postgres://a:secret@h/d/e', /names a database with a \/ in it: percent-encode it/],
    ['postgres://a:secret@h,i/d', /names several hosts/],
  ]
  for (const [url, expected] of table) {
    const found = problemsOf({ directory, env: { ...production, [URL_VARIABLE]: url } })
    t.match(found, [expected], url)
    t.notMatch(found.join(), 'secret')
  }
})

function settingOf(config: Config, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => Object(value)[name], config)
}

t.test('a slash at the end of a URL says nothing', async (t) => {
  const urls: [string, string, string][] = [
    ['APP_SERVER__PUBLIC_URL', 'server.public_url', 'https://api.example.com'],
    ['APP_SERVER__PUBLIC_URL', 'server.public_url', 'https://example.com/api'],
    ['APP_PRODUCT__URL', 'product.url', 'https://app.example.com'],
    ['APP_EMAIL__LINK_BASE', 'email.link_base', 'https://app.example.com/account'],
    [URL_VARIABLE, 'database.url', 'postgres://a:p,w@h/d'],
    ['APP_REDIS__URL', 'redis.url', 'redis://:p,w@h:6379/0'],
    ['APP_EMAIL__SMTP_URL', 'email.smtp_url', 'smtp://mail:25'],
    ['APP_FILES__SCAN__ADDRESS', 'files.scan.address', 'tcp://clamd:3310'],
    ['APP_ERRORS__DSN', 'errors.dsn', 'https://key@sentry.example.com/1'],
    ['APP_TRACING__ENDPOINT', 'tracing.endpoint', 'http://collector:4318'],
    ['APP_FILES__S3__ENDPOINT', 'files.s3.endpoint', 'https://s3.example.com'],
    ['APP_REALTIME__CENTRIFUGO__URL', 'realtime.centrifugo.url', 'http://centrifugo:9000'],
    ['APP_WEBHOOKS__PROXY_URL', 'webhooks.proxy_url', 'http://proxy:4750'],
    ['APP_AUTH__BREACH_CHECK__URL', 'auth.breach_check.url', 'https://api.pwnedpasswords.com/range'],
  ]
  const directory = folder(t)
  const own = { APP_EMAIL__FROM: 'a@example.com', APP_SERVER__PUBLIC_URL: 'https://example.com' }
  for (const [variable, path, url] of urls) {
    for (const end of ['', '/', '// ']) {
      const { config } = loadConfig({ directory, env: { ...production, ...own, [variable]: url + end } })
      t.equal(settingOf(config, path), url, url + end)
    }
    const toml = folder(t, { 'local.toml': `${path} = "${url}/"` })
    const env = { ...production, ...own, [variable]: undefined }
    t.equal(settingOf(loadConfig({ directory: toml, env }).config, path), url, `${url} in a file`)
  }
  const lists = {
    APP_BROKER__URLS: 'nats://a:4222/, nats://b:4222',
    APP_DATABASE__REPLICA_URLS: 'postgres://a@r/app/',
  }
  const { config } = loadConfig({ directory, env: { ...production, ...own, ...lists } })
  t.match(config, {
    broker: { urls: ['nats://a:4222', 'nats://b:4222'] },
    database: { replica_urls: ['postgres://a@r/app'] },
  })
})

t.test('replicas have the rules of the primary, and are others than it', async (t) => {
  const directory = folder(t)
  const problems = (urls: string, env: Record<string, string> = {}) =>
    problemsOf({
      directory,
      env: {
        ...production,
        APP_DATABASE__TLS: 'require',
        [URL_VARIABLE]: 'postgres://a:b@h/d',
        APP_DATABASE__REPLICA_URLS: urls,
        ...env,
      },
    })
  t.same(problems('postgres://a:b@r1/d?sslmode=require,postgres://x:y@r2:5433/d'), [])
  const refused: [string, RegExp][] = [
    ['http://r1', /REPLICA_URLS: item 1 must begin with postgres:/],
    ['postgres://a:b@r1/d,postgres://r2/d', /REPLICA_URLS: item 2 names no user/],
    [
      'postgres://a:b@r1/d?sslmode=disable',
      /REPLICA_URLS: item 1: sslmode in its query is disable, and .*TLS is require/,
    ],
    ['postgres://a:b@r1/d?options=x', /item 1: holds options in its query/],
    ['postgres://a@/d?host=/run', /item 1: names a Unix socket/],
    ['postgres://a:b@r1/other', /item 1 names another database than database.url$/],
    ['postgres://x:y@h:5432/d', /item 1 names a server that is named before/],
    ['postgres://a:b@r1/d,postgres://a:b@r1/d', /item 2 names a server that is named before/],
  ]
  for (const [urls, expected] of refused) {
    const found = problems(urls)
    t.equal(found.length, 1, urls)
    t.match(found[0], expected)
    t.notMatch(found[0], /:b@/, 'no password')
  }
  const alone = problemsOf({
    directory,
    env: { APP_ENVIRONMENT: 'test', APP_DATABASE__REPLICA_URLS: 'postgres://a:b@r1/d' },
  })
  t.match(alone, [/REPLICA_URLS: is set without APP_DATABASE__URL, of which they are replicas$/])
})

t.test('a file holds the URLs of replicas; one that is committed is not secret', async (t) => {
  const directory = folder(t, { urls: 'postgres://a:b@r1/d,postgres://a:b@r2/d\n' })
  const env = { ...production, [URL_VARIABLE]: 'postgres://a:b@h/d' }
  const { config } = loadConfig({
    directory,
    env: { ...env, APP_DATABASE__REPLICA_URLS_FILE: join(directory, 'urls') },
  })
  t.same(config.database.replica_urls, ['postgres://a:b@r1/d', 'postgres://a:b@r2/d'])
  const committed = folder(t, { 'production.toml': '[database]\nreplica_urls = ["postgres://a:b@r1/d"]\n' })
  t.match(problemsOf({ directory: committed, env }), [
    /REPLICA_URLS .*: is a secret that a committed file contains/,
  ])
})
