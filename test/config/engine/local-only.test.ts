import t from 'tap'
import { isLoopback } from '#config/engine/loopback.ts'
import { loadConfig } from '#config/load.ts'
import { folder, problemsOf } from '../folders.ts'

t.test('loopback in every spelling, and nothing else', async (t) => {
  const local = [
    '127.0.0.1',
    '127.8.9.10',
    '127.1',
    '0x7f.1',
    '2130706433',
    '::1',
    '[::1]',
    '0:0:0:0:0:0:0:1',
  ]
  for (const host of [
    ...local,
    '::ffff:127.0.0.1',
    'localhost',
    'LOCALHOST',
    'localhost.',
    'api.localhost',
  ]) {
    t.ok(isLoopback(host), host)
  }
  const others = [
    '0.0.0.0',
    '0',
    '::',
    '[::]',
    '::0',
    '::ffff:0.0.0.0',
    '10.0.0.1',
    '192.168.1.5',
    'fe80::1%eth0',
  ]
  for (const host of [
    ...others,
    '',
    ' ',
    'example.com',
    'localhost.example.com',
    'notlocalhost',
    '127.0.0.1.nip.io',
  ]) {
    t.notOk(isLoopback(host), JSON.stringify(host))
  }
})

t.test('without APP_ENVIRONMENT, what says that others use the service stops the start', async (t) => {
  const directory = folder(t)
  const signs: [Record<string, string>, string][] = [
    [{ APP_SERVER__HOST: '0.0.0.0' }, 'server.host is not a loopback address'],
    [{ APP_SERVER__HOST: '::' }, 'server.host is not a loopback address'],
    [{ APP_SERVER__HOST: 'api.internal' }, 'server.host is not a loopback address'],
    [{ APP_SERVER__PUBLIC_URL: 'https://api.example.com' }, 'server.public_url is not on this machine'],
    [{ APP_SERVER__TRUSTED_PROXIES: 'loopback' }, 'server.trusted_proxies names proxies'],
    [{ APP_DATABASE__URL: 'postgres://a:b@db.internal/app' }, 'database.url is on another machine'],
    [{ APP_REDIS__URL: 'redis://cache.internal:6379' }, 'redis.url is on another machine'],
    [
      { APP_BROKER__KIND: 'nats', APP_BROKER__URLS: 'nats://localhost,nats://broker.internal' },
      'broker.urls are on other machines',
    ],
    [{ NODE_ENV: 'production' }, 'NODE_ENV is production'],
    [{ NODE_ENV: ' Staging ' }, 'NODE_ENV is Staging'],
    [{ APP_ENV: 'prod' }, 'APP_ENV is prod'],
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, 'KUBERNETES_SERVICE_HOST is set'],
    [{ DYNO: 'web.1' }, 'DYNO is set'],
  ]
  for (const [env, sign] of signs) {
    const problems = problemsOf({ directory, env })
    t.equal(problems.length, 1, sign)
    t.match(problems[0], `But ${sign}. Set APP_ENVIRONMENT=production; or APP_ENVIRONMENT=development if`)
    t.same(problemsOf({ directory, env: { ...env, APP_ENVIRONMENT: 'development' } }), [], `${sign}: named`)
    t.same(
      problemsOf({ directory, env: { ...env, APP_SERVER__LOCAL_ONLY: 'false' } }),
      [],
      `${sign}: allowed`,
    )
  }
  t.match(problemsOf({ directory, env: { APP_SERVER__HOST: '::', NODE_ENV: 'production' } }), [
    /But NODE_ENV is production, server\.host is not a loopback address\./,
  ])
})

t.test('a laptop needs no setting', async (t) => {
  const directory = folder(t)
  const { config, sources } = loadConfig({ directory })
  t.equal(config.server.local_only, true)
  t.equal(sources.get('server.local_only'), 'APP_ENVIRONMENT not being set')
  const harmless = [
    { APP_SERVER__HOST: 'localhost' },
    { APP_SERVER__WORKERS: '2', PORT: '3000' },
    { NODE_ENV: 'development', APP_SERVER__PUBLIC_URL: 'http://localhost:8080' },
    { APP_DATABASE__URL: 'postgres://a:b@127.0.0.1/app' },
    { APP_DATABASE__URL: 'postgres://a:b@[::1]:5433/app' },
    { APP_DATABASE__URL: 'postgres://a@/app?host=/var/run/postgresql' },
    { APP_DATABASE__URL: 'postgres://a@%2Fvar%2Frun%2Fpostgresql/app' },
  ]
  for (const env of harmless) t.same(problemsOf({ directory, env }), [], JSON.stringify(env))
})

t.test('a file can allow the network, and anybody can ask for this machine only', async (t) => {
  const open = folder(t, { 'local.toml': '[server]\nhost = "0.0.0.0"\nlocal_only = false' })
  t.same(problemsOf({ directory: open }), [])
  const closed = {
    APP_ENVIRONMENT: 'development',
    APP_SERVER__LOCAL_ONLY: 'true',
    APP_SERVER__HOST: '0.0.0.0',
  }
  t.match(problemsOf({ directory: folder(t), env: closed }), [
    /^APP_SERVER__HOST: must be a loopback address/,
  ])
})

t.test('a mistyped APP_ENVIRONMENT is not ignored', async (t) => {
  const directory = folder(t)
  for (const name of ['APP_ENVIROMENT', 'APP_ENVIRONNEMENT', 'app_environment']) {
    t.same(problemsOf({ directory, env: { [name]: 'production' } }), [
      `${name}: is not a known variable; did you mean APP_ENVIRONMENT?`,
    ])
  }
})
