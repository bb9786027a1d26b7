import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { configKeys } from '#config/engine/keys.ts'
import { renderReference } from '#config/engine/reference.ts'
import { runCommand } from '#test/support/command.ts'

/** Runs a command with these variables of the service and no others. */
async function run(command: string, env: Record<string, string>, args: readonly string[] = []) {
  const { code, stdout, stderr } = await runCommand(command, args, {
    env: { APP_ENVIRONMENT: undefined, ...env },
  })
  return { status: code, stdout, stderr }
}

const secrets = {
  APP_DATABASE__URL: 'postgres://planted-user:planted-password@planted-host/planted-name',
  APP_METRICS__TOKEN: 'planted-token',
}

/** Every key set here comes from a variable, so that a local.toml of the machine changes nothing. */
function productionEnv(secretFile: string) {
  return {
    ...secrets,
    APP_ENVIRONMENT: 'production',
    APP_JWT__SECRET_FILE: secretFile,
    APP_JWT__ISSUER: 'two\nlines',
    APP_JWT__EXPIRES_IN: '3600s',
    APP_AUTH__ARGON2__MEMORY_COST: '65536KiB',
    APP_SERVER__PORT: '9000',
    APP_SERVER__TRUSTED_PROXIES: '10.0.0.0/8,loopback',
    APP_CORS__ALLOWED_ORIGINS: '',
  }
}

t.test('the table shows every key, where it came from, and no secret', async (t) => {
  const secretFile = join(t.testdir({ key: 'planted-key, which is longer than 32 bytes\n' }), 'key')
  const { status, stdout, stderr } = await run('config', productionEnv(secretFile))
  t.equal(status, 0)
  t.equal(stderr, '')
  t.notMatch(stdout, /planted/)
  const [heading, ...lines] = stdout.trimEnd().split('\n')
  t.match(heading, /^KEY +VALUE +FROM$/)
  t.same(
    lines.map((line) => line.split(' ')[0]),
    configKeys.map((key) => key.path),
  )
  const sourceColumn = heading?.indexOf('FROM') ?? 0
  for (const line of lines) t.match(line.slice(sourceColumn - 2), /^ {2}\S+$/, 'the columns are aligned')
  const rows = lines.map((line) => line.split(/ {2,}/))
  for (const row of [
    ['environment', 'production', 'APP_ENVIRONMENT'],
    ['server.port', '9000', 'APP_SERVER__PORT'],
    ['server.trusted_proxies', '10.0.0.0/8, loopback', 'APP_SERVER__TRUSTED_PROXIES'],
    ['cors.allowed_origins', '[]', 'APP_CORS__ALLOWED_ORIGINS'],
    ['database.url', '********', 'APP_DATABASE__URL'],
    ['metrics.token', '********', 'APP_METRICS__TOKEN'],
    ['jwt.secret', '********', 'APP_JWT__SECRET_FILE'],
    ['jwt.issuer', '"two\\nlines"', 'APP_JWT__ISSUER'],
    ['jwt.expires_in', '1h', 'APP_JWT__EXPIRES_IN'],
    ['auth.argon2.memory_cost', '64MiB', 'APP_AUTH__ARGON2__MEMORY_COST'],
  ]) {
    t.same(
      rows.find(([path]) => path === row[0]),
      row,
    )
  }
})

t.test('--json prints the same for programs', async (t) => {
  const secretFile = join(t.testdir({ key: 'planted-key, which is longer than 32 bytes\n' }), 'key')
  const { status, stdout } = await run('config', productionEnv(secretFile), ['--json'])
  t.equal(status, 0)
  t.notMatch(stdout, /planted/)
  const keys = JSON.parse(stdout)
  t.same(
    Object.keys(keys),
    configKeys.map((key) => key.path),
  )
  t.same(keys['server.port'], { value: 9000, source: 'APP_SERVER__PORT' })
  t.same(keys['server.trusted_proxies'], {
    value: ['10.0.0.0/8', 'loopback'],
    source: 'APP_SERVER__TRUSTED_PROXIES',
  })
  t.same(keys['jwt.secret'], { value: '********', source: 'APP_JWT__SECRET_FILE' })
  t.same(keys['jwt.expires_in'], { value: '1h', source: 'APP_JWT__EXPIRES_IN' })
})

t.test('the layers of the project, and keys that are not set', { skip: hasLocal() }, async (t) => {
  const { status, stdout } = await run('config', {}, ['--json'])
  t.equal(status, 0)
  const keys = JSON.parse(stdout)
  t.same(keys.environment, { value: 'development', source: 'default' })
  t.same(keys['database.url'], { value: null, source: null })
  t.same(keys['server.body_limit'], { value: '256KiB', source: 'default.toml' })
  t.same(keys['jwt.secret'], { value: '********', source: 'development.toml' })
  t.match((await run('config', {})).stdout, /^database\.url +\(not set\) +-$/m)
})

t.test('problems are all printed, without values, and the exit code is 1', async (t) => {
  for (const args of [[], ['--json']]) {
    const env = {
      ...secrets,
      APP_ENVIRONMENT: 'development',
      APP_JWT__SECRET: 'planted',
      APP_SERVER__PROT: 'planted',
      APP_SERVER__PORT: 'planted',
    }
    const { status, stdout, stderr } = await run('config', env, args)
    t.equal(status, 1)
    t.equal(stdout, '')
    t.same(stderr.trimEnd().split('\n'), [
      'The configuration has problems:',
      '  - APP_SERVER__PROT: is not a known variable; did you mean APP_SERVER__PORT?',
      '  - APP_SERVER__PORT: must be a whole number from 0 to 65535',
      '  - APP_JWT__SECRET: must be at least 32 bytes long',
    ])
  }
})

t.test('an argument that it does not know', async (t) => {
  const { status, stdout, stderr } = await run('config', {}, ['--yaml'])
  t.equal(status, 2)
  t.equal(stdout, '')
  t.match(stderr, /\nUsage: npm run config/)
})

t.test('config-docs writes the reference', async (t) => {
  const path = join(t.testdir({}), 'configuration.md')
  const { status } = await run('config-docs', {}, [path])
  t.equal(status, 0)
  t.equal(readFileSync(path, 'utf8'), renderReference())
})

function hasLocal(): string | false {
  const local = join(import.meta.dirname, '../../config/local.toml')
  return existsSync(local) && 'config/local.toml of this machine changes what is printed'
}
