import { join } from 'node:path'
import t from 'tap'
import { ConfigError } from '#config/engine/config-error.ts'
import { loadConfig } from '#config/load.ts'
import { defaults, folder, problemsOf, production, projectFolder } from './folders.ts'

t.test('the project loads as it is in development and test', async (t) => {
  for (const environment of ['development', 'test']) {
    const { config } = loadConfig({ directory: projectFolder(t), env: { APP_ENVIRONMENT: environment } })
    t.equal(config.environment, environment)
    t.ok(Buffer.byteLength(config.jwt.secret) >= 32)
    t.match(config.jwt.secret, `${environment}-only`, 'its key says what it is')
    const stolen = { ...production, APP_JWT__SECRET: config.jwt.secret }
    t.match(problemsOf({ directory: projectFolder(t), env: stolen }), [
      'APP_JWT__SECRET: is a secret that a committed',
    ])
  }
})

t.test('the project in production', async (t) => {
  const directory = projectFolder(t)
  t.same(problemsOf({ directory, env: { APP_ENVIRONMENT: 'production' } }), [
    'APP_JWT__SECRET: is not set, and has no default',
    'APP_DATABASE__URL: must be set in the environment "production"',
  ])
  const { config } = loadConfig({ directory, env: production })
  t.equal(config.server.drain_delay, 5000)
  t.equal(config.server.host, '0.0.0.0')
  t.equal(config.docs.enabled, false)
})

t.test('durations and sizes are numbers, and what has no value is absent', async (t) => {
  const { config, sources } = loadConfig({ directory: folder(t) })
  t.equal(config.server.request_timeout, 30_000)
  t.equal(config.jwt.expires_in, 900_000)
  t.equal(config.server.body_limit, 262_144)
  t.equal(config.auth.argon2.memory_cost, 19_456 * 1024)
  t.notOk('url' in config.database)
  t.notOk(sources.has('database.url'))
  t.same(config.cors.allowed_origins, [])
})

t.test('each layer lies over the one below it, and its name is kept', async (t) => {
  const files = {
    'test.toml':
      '[jwt]\nsecret = "a well-known key of more than 32 bytes"\n[server]\nhost = "2"\nport = 2\nbody_limit = "2B"',
    'local.toml': '[server]\nport = 3\nbody_limit = "3B"',
  }
  const env = { APP_ENVIRONMENT: 'test', APP_SERVER__BODY_LIMIT: '4B' }
  const { config, sources } = loadConfig({ directory: folder(t, files), env })
  t.match(config.server, { host: '2', port: 3, body_limit: 4, max_header_size: 16_384 })
  t.equal(sources.get('environment'), 'APP_ENVIRONMENT')
  t.equal(sources.get('server.max_header_size'), 'default.toml')
  t.equal(sources.get('server.host'), 'test.toml')
  t.equal(sources.get('server.port'), 'local.toml')
  t.equal(sources.get('server.body_limit'), 'APP_SERVER__BODY_LIMIT')
})

t.test('the environment is development unless it is named', async (t) => {
  const { config, sources } = loadConfig({ directory: folder(t), env: { APP_ENVIRONMENT: undefined } })
  t.equal(config.environment, 'development')
  t.equal(sources.get('environment'), 'default')
  t.equal(sources.get('jwt.secret'), 'development.toml')
})

t.test('the configuration is frozen all through, lists too', async (t) => {
  const { config } = loadConfig({ directory: folder(t) })
  t.throws(() => Object.assign(config.server, { port: 1 }), TypeError)
  t.throws(() => Object.assign(config.auth.argon2, { time_cost: 9 }), TypeError)
  t.throws(() => config.cors.allowed_origins.push('*'), TypeError)
})

t.test("without options the project's own folder is read", async (t) => {
  t.equal(loadConfig().sources.get('environment'), 'default')
})

t.test('loading twice returns equal and separate results', async (t) => {
  const directory = folder(t)
  const [first, second] = [loadConfig({ directory }), loadConfig({ directory })]
  t.same(first, second)
  t.not(first.config.server, second.config.server)
})

t.test('what a file gets wrong is told with the file and the variable', async (t) => {
  const table: [string, string][] = [
    ['[server]\nport = "80"', 'APP_SERVER__PORT (from local.toml): must be a whole number from 0 to 65535'],
    ['[server]\nport = 65536', 'APP_SERVER__PORT (from local.toml): must be a whole number from 0 to 65535'],
    ['[server]\nport = 80.5', 'APP_SERVER__PORT (from local.toml): must be a whole number from 0 to 65535'],
    [
      '[server]\nworkers = 0',
      'APP_SERVER__WORKERS (from local.toml): must be a whole number from 1 to 1024 or auto',
    ],
    [
      '[server]\nworkers = "all"',
      'APP_SERVER__WORKERS (from local.toml): must be a whole number from 1 to 1024 or auto',
    ],
    ['[server]\nport = true', 'APP_SERVER__PORT (from local.toml): must be a whole number from 0 to 65535'],
    ['[server]\nhost = ""', 'APP_SERVER__HOST (from local.toml): must be text that is not empty'],
    ['[server]\nhost = 2020-01-01', 'APP_SERVER__HOST (from local.toml): must be text that is not empty'],
    ['[server.host]\na = 1', 'APP_SERVER__HOST (from local.toml): must be text that is not empty'],
    [
      '[server]\nbody_limit = 1024',
      'APP_SERVER__BODY_LIMIT (from local.toml): must be a size in B, KiB, MiB or GiB from 1B to 1GiB',
    ],
    [
      '[jwt]\nexpires_in = "31d"',
      'APP_JWT__EXPIRES_IN (from local.toml): must be a duration in ms, s, m, h or d from 1s to 30d',
    ],
    ['[docs]\nenabled = "true"', 'APP_DOCS__ENABLED (from local.toml): must be true or false'],
    [
      '[pressure]\nmax_heap_utilization = nan',
      'APP_PRESSURE__MAX_HEAP_UTILIZATION (from local.toml): must be a number from 0 to 1',
    ],
    ['[database]\ntls = "on"', 'APP_DATABASE__TLS (from local.toml): must be one of off, require, verify'],
    [
      '[cors]\nallowed_origins = ["*", "x"]',
      'APP_CORS__ALLOWED_ORIGINS (from local.toml): item 2 must be an origin',
    ],
    ['[cors]\nallowed_origins = "*"', 'APP_CORS__ALLOWED_ORIGINS (from local.toml): must be a list'],
    ['[server]\nprot = 1', 'local.toml: server.prot is not a known key; did you mean server.port?'],
    ['[serve]\nport = 1', 'local.toml: serve is not a known key; did you mean server?'],
    ['[auth.argon2]\nsomething_else = 1', 'local.toml: auth.argon2.something_else is not a known key'],
    ['server = 1', 'local.toml: server is a section, and must be a table'],
    ['server = []', 'local.toml: server is a section, and must be a table'],
    ['environment = "test"', 'local.toml: environment is set by APP_ENVIRONMENT alone'],
    ['[constructor]\nprototype = 1', 'local.toml: constructor is not a known key'],
    ['[server.toString]\na = 1', 'local.toml: server.toString is not a known key'],
    ['[jwt]\nsecret = "s3cr3t', 'local.toml: is not valid TOML at line 2, column 10'],
    ['[__proto__]\npolluted = 1', 'local.toml: '],
  ]
  for (const [text, expected] of table) {
    const problems = problemsOf({ directory: folder(t, { 'local.toml': text }) })
    t.equal(problems.length, 1, text)
    t.ok(problems[0]?.startsWith(expected), `${text} -> ${problems[0]}`)
  }
  t.notOk('polluted' in {})
})

t.test('files that must be there and are not, and one that cannot be read', async (t) => {
  const directory = folder(t, { 'broken.toml': 'a = ' })
  t.match(problemsOf({ directory, env: { ...production, APP_ENVIRONMENT: 'prodution' } }), [
    'prodution.toml (named by APP_ENVIRONMENT): cannot be read (ENOENT)',
  ])
  t.match(problemsOf({ directory, env: { ...production, APP_ENVIRONMENT: 'broken' } }), [
    /^broken\.toml \(named by APP_ENVIRONMENT\): is not valid TOML at line 1, column \d+$/,
  ])
  t.match(
    problemsOf({
      directory: t.testdir({ 'default.toml': defaults, 'development.toml': '', 'local.toml': {} }),
    }),
    ['local.toml: cannot be read (EISDIR)', 'APP_JWT__SECRET: is not set, and has no default'],
  )
  const nowhere = problemsOf({ directory: join(directory, 'nowhere') })
  t.equal(nowhere[0], 'default.toml: cannot be read (ENOENT)')
  t.ok(nowhere.includes('APP_AUTH__ARGON2__TIME_COST: is not set, and has no default'))
})

t.test('an environment whose name is not a file name is not looked for', async (t) => {
  const directory = folder(t, { 'secret.toml': '[jwt]\nsecret = "1"' })
  for (const name of ['', 'local', 'default', '../config/secret', '__proto__', 'Test']) {
    const problems = problemsOf({ directory, env: { ...production, APP_ENVIRONMENT: name } })
    t.equal(problems.length, 1, JSON.stringify(name))
    t.match(problems[0], /^APP_ENVIRONMENT: must be a name of small letters/)
  }
})

t.test('all problems of all layers come out together, and none shows a value', async (t) => {
  const directory = folder(t, {
    'production.toml': '[servr]\nport = "planted1"\n[docs]\nenabled = "planted2"',
    'local.toml': '[metrics]\ntoken = "planted3\n',
  })
  const env = {
    APP_ENVIRONMENT: 'production',
    APP_JWT__SECRET: 'planted4',
    APP_DATABASE__URL: 'mysql://planted5',
    APP_SERVER__PORT: 'planted6',
    APP_METRICS__TOKEN_FILE: 'planted7',
    APP_SERVER__PROT: 'planted8',
    APP_CORS__ALLOWED_ORIGINS: 'planted9,*',
  }
  const error = t.throws(() => loadConfig({ directory, env }), ConfigError)
  t.match(problemsOf({ directory, env }), [
    'production.toml: servr is not a known key; did you mean server?',
    'local.toml: is not valid TOML at line 2, column 18',
    'APP_METRICS__TOKEN_FILE: names a file that cannot be read as text (ENOENT)',
    'APP_SERVER__PROT: is not a known variable; did you mean APP_SERVER__PORT?',
    'APP_SERVER__PORT: must be a whole number from 0 to 65535',
    'APP_DATABASE__URL: must begin with postgres:// or postgresql://',
    'APP_JWT__SECRET: must be at least 32 bytes long',
    'APP_CORS__ALLOWED_ORIGINS: item 1 must be an origin',
    'APP_DOCS__ENABLED (from production.toml): must be true or false',
    'APP_CORS__ALLOWED_ORIGINS: may hold * in development and test only',
  ])
  t.notMatch(String(error), /planted/)
})
