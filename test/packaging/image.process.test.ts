import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import packageJson from '#package.json' with { type: 'json' }
import { createTestDatabase } from '#test/support/database.ts'
import { call, registration } from '#test/support/http.ts'
import { environment, listening, startProcess } from '#test/support/process.ts'

const ROOT = join(import.meta.dirname, '../..')

/** The stages of the Dockerfile, by name; the last has none. */
async function readStages(): Promise<Map<string, string>> {
  const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8')
  const stages = dockerfile.split(/^(?=FROM )/m).slice(1)
  return new Map(stages.map((stage) => [/^FROM \S+(?: AS (\w+))?/.exec(stage)?.[1] ?? '', stage]))
}

/** The stage that runs. */
async function readLastStage(): Promise<string> {
  return (await readStages()).get('service') ?? ''
}

/** Files that it copies from the build context, laid out as in the image. */
async function layOut(t: Test, lastStage: string): Promise<string> {
  const directory = join(t.testdirName, 'app')
  for (const [, words = ''] of lastStage.matchAll(/^COPY (?!--from)(.+)$/gm)) {
    const names = words.split(' ')
    const target = names.pop() ?? ''
    for (const name of names) {
      const path = target.endsWith('/')
        ? join(directory, target, name.replace(/^.*\//, ''))
        : join(directory, target)
      await mkdir(dirname(path), { recursive: true })
      await cp(join(ROOT, name), path, { recursive: true })
    }
  }
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  return directory
}

/** Those that need npm, and so a checkout. */
const OF_CHECKOUTS = ['audit', 'sbom']

/** The commands that docs/commands.md names for operators, who have the image and nothing else. */
async function operatorsCommands(): Promise<string[]> {
  const page = await readFile(join(ROOT, 'docs/commands.md'), 'utf8')
  const [, section = ''] = page.split('## To operate')
  const names = [...section.matchAll(/^\| `npm run (?:-s )?([\w-]+)/gm)].map(([, name = '']) => name)
  return names.filter((name) => !OF_CHECKOUTS.includes(name))
}

/** The variables of the image and of deploy/compose.yaml, with secrets in files. */
function variables(t: Test, url: string): Record<string, string | undefined> {
  const secrets = t.testdir({ url: `${url}\n`, jwt: `${'s'.repeat(48)}\n` })
  return environment({
    NODE_ENV: 'production',
    APP_ENVIRONMENT: 'production',
    APP_DATABASE__URL_FILE: join(secrets, 'url'),
    APP_JWT__SECRET_FILE: join(secrets, 'jwt'),
    APP_SERVER__HOST: '127.0.0.1',
    APP_SERVER__PORT: '0',
    APP_SERVER__DRAIN_DELAY: '0s',
  })
}

t.test("the image's files are all that production needs", async (t) => {
  const { url } = await createTestDatabase(t)
  let env = variables(t, url)
  const lastStage = await readLastStage()
  const cwd = await layOut(t, lastStage)
  const command: string[] = JSON.parse(/^CMD (.+)$/m.exec(lastStage)?.[1] ?? '[]')
  const start = packageJson.scripts.start.replace('--import ./node-version.js ', '')
  t.equal(command.join(' '), start, 'it starts as npm start does; its Node is known')
  const run = (...args: string[]) => startProcess(t, process.execPath, args, { cwd, env })

  const service = run(...command.slice(1))
  const base = await listening(service)
  t.equal((await call(`${base}/ready`)).status, 200)
  t.equal((await call(`${base}/docs`)).status, 404, 'no documentation')
  t.equal((await call(`${base}/metrics`)).status, 404, 'no metrics without a token')
  t.equal((await call(`${base}/dev/mail`)).status, 404, 'no mailbox')
  for (const path of ['reset-password', 'account.js', 'account.css']) {
    t.equal((await call(`${base}/account/${path}`)).status, 200, `/account/${path}`)
  }
  const registered = await call(`${base}/api/v1/users`, { method: 'POST', json: registration() })
  t.equal(registered.status, 202, 'an address is confirmed first')
  t.match(service.stdout(), 'email.smtp_url is not set', 'who has forgotten the mail server is told')

  const { port } = new URL(base)
  env = { ...env, APP_SERVER__PORT: port }
  t.match(await run('deploy/probe.ts', '/ready').exited, { code: 0 }, 'the probe says yes')
  t.match(await run('deploy/probe.ts').exited, { code: 0 }, 'the probe asks /live')
  t.match(await run('deploy/probe.ts', '/nowhere').exited, { code: 1 }, 'the probe says no')

  for (const args of [
    ['commands/config.ts'],
    ['commands/migrate.ts', 'status'],
    ['commands/keys.ts', 'list'],
  ]) {
    t.match(await run(...args).exited, { code: 0 }, args.join(' '))
  }
  for (const name of ['backup', 'restore']) {
    t.match(await run(`commands/${name}.ts`).exited, { code: 2 }, `${name} says how it is used`)
  }
  for (const name of await operatorsCommands()) {
    t.match(await run(`commands/${name}.ts`, '--help').exited, { code: 0 }, `${name} is in the image`)
  }
  t.match(await run('commands/audit-log.ts', 'verify').exited, { code: 0 }, 'audit-log')
  const doctor = run('commands/doctor.ts')
  t.match(await doctor.exited, { code: 1 }, "the tests' PostgreSQL is not for production")
  t.match(doctor.stdout(), /^problem {5}database: fsync is off/m, doctor.stderr())
  t.match(doctor.stdout(), /^ok {10}port$/m, 'the port is taken by ourselves')
  const admin = run('commands/admin.ts', 'create', '--email', 'ada@example.com', '--username', 'ada')
  admin.child.stdin?.end('a long enough password\n')
  t.match(await admin.exited, { code: 0 }, `admin ${admin.stderr()}`)

  service.child.kill('SIGTERM')
  t.match(await service.exited, { code: 0 }, 'SIGTERM ends it in order')
  t.match(await run('deploy/probe.ts').exited, { code: 1 }, 'the probe says no when nobody listens')
})

t.test('.dockerignore lets through what the Dockerfile copies, and no local secrets', async (t) => {
  const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8')
  const lines = (await readFile(join(ROOT, '.dockerignore'), 'utf8')).split('\n')
  t.ok(lines.includes('*'), 'everything else stays out')
  const allowed = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  for (const [, words = ''] of dockerfile.matchAll(/^COPY (?!--from)(.+)$/gm)) {
    for (const name of words.split(' ').slice(0, -1)) {
      t.ok(
        allowed.some((path) => name === path || name.startsWith(`${path}/`)),
        name,
      )
    }
  }
  t.ok(lines.indexOf('config/local.toml') > lines.indexOf('!config'), 'config/local.toml stays out')
})

t.test(
  'the image for backups is the service with the programs, and is not what is built by default',
  async (t) => {
    const stages = await readStages()
    t.same([...stages.keys()], ['dependencies', 'service', 'client', 'backup', ''])
    t.equal(stages.get('')?.trim(), 'FROM service')
    const backup = stages.get('backup') ?? ''
    t.match(backup, /^FROM service AS backup$/m)
    const [program = '', ...args]: string[] = JSON.parse(/^CMD (.+)$/m.exec(backup)?.[1] ?? '[]')
    t.equal(program, 'node')
    // The command understands its arguments: it gets as far as the configuration.
    const env = environment({ APP_ENVIRONMENT: 'production' })
    const command = startProcess(t, process.execPath, args, { cwd: ROOT, env })
    t.match(await command.exited, { code: 1 })
    t.match(command.stderr(), /APP_DATABASE__URL/)
  },
)
