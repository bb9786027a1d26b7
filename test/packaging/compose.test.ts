import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { Config } from '#config/schema/schema.ts'

const ROOT = join(import.meta.dirname, '../..')
const DEPLOY = join(ROOT, 'deploy')

interface Service {
  image: string
  build?: { args: Record<string, string> }
  command?: string[]
  environment?: Record<string, string>
  secrets?: string[]
  ports?: string[]
  volumes?: string[]
  healthcheck?: { test?: string[]; disable?: boolean }
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  stop_grace_period?: string
  networks?: Record<string, { ipv4_address?: string; aliases?: string[] }>
}

interface Compose {
  services: Record<string, Service>
  secrets: Record<string, { file: string }>
  volumes: Record<string, null>
}

function read(name: string): Compose {
  return parse(readFileSync(join(DEPLOY, name), 'utf8'), { merge: true })
}

/** The file with the variables' defaults; `VALUE` stands for one that must be set. */
function filledIn(text: string): string {
  return text.replaceAll(/\$\{\w+(?:(:-)|:\?)([^}]*)\}/g, (_, hasDefault, rest) =>
    hasDefault ? rest : 'VALUE',
  )
}

/** The variables of a section's keys, and of those below it. */
function variablesOf(properties: Record<string, { properties?: object }>, prefix = 'APP_'): string[] {
  return Object.entries(properties).flatMap(([key, value]) => {
    const name = `${prefix}${key.toUpperCase()}`
    return value.properties ? variablesOf({ ...value.properties }, `${name}__`) : [name, `${name}_FILE`]
  })
}

const known = new Set(variablesOf(JSON.parse(JSON.stringify(Config.properties))))
/** Compose itself, as a plugin of docker or by itself; neither needs an engine to read a file. */
const COMPOSE = [['docker', 'compose'], ['docker-compose']].find(
  ([program = '', ...args]) => spawnSync(program, [...args, 'version']).status === 0,
)
const skip = COMPOSE ? false : 'there is no docker compose'

/** Traces are on where the service can trace. */
const canTrace = 'tracing' in Config.properties

function checkVariables(t: Test, id: string, { environment = {}, secrets = [] }: Service): void {
  for (const [variable, value] of Object.entries(environment)) {
    t.notMatch(variable, /(?:SECRET|PASSWORD|TOKEN)$/, `${id}: ${variable} comes from a file`)
    const isOurs = variable.startsWith('APP_') && (canTrace || !variable.startsWith('APP_TRACING__'))
    if (isOurs) t.ok(known.has(variable), `${id}: ${variable} is known`)
    const [, secret] = /^\/run\/secrets\/(.+)$/.exec(value) ?? []
    if (secret !== undefined) t.ok(secrets.includes(secret), `${id} gets ${secret}`)
  }
}

function checkMounts(t: Test, id: string, service: Service, compose: Compose): void {
  for (const secret of service.secrets ?? []) t.ok(compose.secrets[secret], `${id}: ${secret}`)
  for (const volume of service.volumes ?? []) {
    const [source = ''] = volume.split(':')
    t.ok(source.startsWith('.') ? existsSync(join(DEPLOY, source)) : source in compose.volumes, volume)
  }
}

for (const name of ['compose.yaml', 'compose.prod.yaml']) {
  t.test(name, async (t) => {
    const compose = read(name)
    t.test('compose understands it', { skip }, async (t) => {
      const [program = '', ...args] = COMPOSE ?? []
      const env = {
        PATH: process.env['PATH'],
        PUBLIC_URL: 'https://api.example.com',
        MAIL_FROM: 'a@example.com',
      }
      const all = [...args, '--file', join(DEPLOY, name), 'config', '--quiet']
      const { status, stderr } = spawnSync(program, all, { env, encoding: 'utf8' })
      t.equal(status, 0, stderr)
    })
    for (const [id, service] of Object.entries(compose.services)) {
      t.ok(service.healthcheck, `${id} has a health check`)
      t.match(service, { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] }, id)
      t.notMatch(filledIn(service.image), /:latest$|^[^:]+$/, `${id} is of a version`)
      checkMounts(t, id, service, compose)
      checkVariables(t, id, service)
      if (id === 'proxy') continue
      for (const port of service.ports ?? [])
        t.ok(port.startsWith('127.0.0.1:'), `${id}: ${port} is not open`)
    }
  })
}

t.test('compose.yaml is the whole', async (t) => {
  const { services } = read('compose.yaml')
  const names = ['service', 'worker', 'postgres', 'redis', 'prometheus', 'grafana', 'traces', 'mail']
  t.strictSame(Object.keys(services), names)
  t.match(services, {
    service: { environment: { APP_ROLE: 'web' } },
    worker: { environment: { APP_ROLE: 'worker' } },
  })
})

t.test('compose.prod.yaml has two instances behind a proxy that they believe', async (t) => {
  const { services } = read('compose.prod.yaml')
  const proxy = services['proxy']?.networks?.['edge']?.ipv4_address
  t.type(proxy, 'string')
  for (const name of ['web-1', 'web-2']) {
    const web = services[name]
    t.equal(web?.environment?.['APP_SERVER__TRUSTED_PROXIES'], proxy, `${name} believes the proxy`)
    t.equal(web?.ports, undefined, `${name} is reached through the proxy only`)
    t.match(web?.networks, { edge: { ipv4_address: String }, default: { aliases: ['service'] } })
    t.match(readFileSync(join(DEPLOY, 'proxy/nginx.conf'), 'utf8'), `server ${name}:8080 `)
  }
  t.match(services['migrate']?.command, ['node', 'commands/migrate.ts', 'up'])
})

t.test('compose.prod.yaml takes every setting, and keeps files', async (t) => {
  const { services, volumes } = read('compose.prod.yaml')
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
  for (const name of ['web-1', 'web-2', 'worker', 'migrate', 'backup']) {
    const file = [{ path: 'secrets/settings.env', required: false }]
    t.match(services[name], { env_file: file }, name)
  }
  for (const name of ['web-1', 'web-2', 'worker']) t.match(services[name]?.volumes, ['files:/files'], name)
  t.match(services['backup']?.volumes, ['backups:/backups', 'files:/files'])
  t.ok('files' in volumes)
  t.match(
    dockerfile,
    /^COPY --from=dependencies --chown=10001:0 \/volumes \/$/m,
    'the service may write there',
  )
  t.match(dockerfile, 'mkdir -p -m 770 /volumes/files')
})

t.test('secrets.sh makes every secret that nobody but the operator can know', async (t) => {
  const folder = t.testdir({ 'secrets.sh': readFileSync(join(DEPLOY, 'secrets.sh'), 'utf8') })
  const make = () => spawnSync('sh', [join(folder, 'secrets.sh')], { encoding: 'utf8' })
  t.equal(make().status, 0)
  const contents = () =>
    globSync('secrets/*', { cwd: folder })
      .sort()
      .map((file) => readFileSync(join(folder, file), 'utf8'))
  const before = contents()
  t.strictSame(make().stdout, '', 'once')
  t.strictSame(contents(), before, 'those that exist stay')
  t.equal(new Set(before).size, before.length, 'no two are the same')

  const theirs = ['smtp_url', 'alert_url', 'tls_certificate', 'tls_key']
  const wanted = ['compose.yaml', 'compose.prod.yaml'].flatMap((name) => Object.keys(read(name).secrets))
  const made = globSync('secrets/*', { cwd: folder }).map((file) => file.replace('secrets/', ''))
  t.strictSame(made.sort(), [...new Set(wanted)].filter((name) => !theirs.includes(name)).sort())
})
