import { execFile } from 'node:child_process'
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'

const execute = promisify(execFile)
const root = join(import.meta.dirname, '..')
const depcruise = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')

interface Violation {
  rule: { name: string }
  from: string
  to: string
}

/** Cruises a tree as `npm run check` does and returns its findings, as "rule: from -> to". */
async function cruise(cwd: string): Promise<{ violations: string[]; modules: number }> {
  const { stdout } = await execute(process.execPath, [depcruise, '.', '--output-type=json'], {
    cwd,
    maxBuffer: 2 ** 26,
  })
  const { modules, summary } = JSON.parse(stdout)
  const violations: Violation[] = summary.violations
  return {
    modules: modules.length,
    violations: violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
  }
}

t.test('npm run check holds it to them', async (t) => {
  const { default: packageJson } = await import('#package.json', { with: { type: 'json' } })
  t.match(packageJson.scripts.check, /\bdepcruise \./)
})

/** Files of a small tree that keeps every rule, some of them only just. */
const GOOD = {
  'app.ts': "import './plugins/database.ts'",
  'process/primary.ts': 'export const primary = 1',
  'server.ts':
    "import './app.ts'\nimport './process/primary.ts'\nimport './services/postgres/with-database.ts'",
  'config/schema/schema.ts': "import '@sinclair/typebox'\nexport type Config = object",
  'config/load.ts': "import './schema/schema.ts'\nexport const load = 1",
  'schemas/primitives.ts': "import '@sinclair/typebox'",
  'schemas/things.ts': "import './primitives.ts'\nexport const Thing = 1\nexport type T = object",
  'lib/database/database.ts': 'export type Database = object',
  'lib/database/scoped-database.ts': 'export class OrgDatabase {}',
  'lib/counters/queries.ts': 'export const Q = 1',
  'services/things/queries.ts':
    "import type { Database } from '../../lib/database/database.ts'\nexport type D = Database",
  'services/things/records.ts': "import './queries.ts'",
  'services/things/operators.ts': "import './records.ts'",
  'services/things/things.ts':
    "import type { Config } from '../../config/schema/schema.ts'\nimport '../../schemas/things.ts'\nimport './queries.ts'\nexport type C = Config",
  'services/others/others.ts': "import '../things/things.ts'",
  'services/postgres/with-database.ts': "import 'pg'",
  'plugins/database.ts':
    "import 'pg'\nimport '../config/load.ts'\nimport '../services/things/things.ts'\nexport type P = object",
  'plugins/http/cors.ts': 'export const cors = 1',
  'plugins/api/tokens.ts': "import '../http/cors.ts'\nexport type T = object",
  'routes/api/v1/things/index.ts':
    "import type { P } from '../../../../plugins/database.ts'\nimport '../../../../services/things/things.ts'\nimport '../../../../schemas/things.ts'\nexport type Q = P",
  'migrations/001.do.create-things.sql': '',
  'admin/main.ts': "import type { T } from '../schemas/things.ts'\nexport type A = T",
  'bench/load.ts': "import 'tap'\nimport '../app.ts'",
  'test/things.test.ts': "import 'tap'\nimport '../services/things/queries.ts'",
} satisfies Record<string, string>

/** Breaches: the rule, a description, the folder of the file, its code. */
const BREACHES: readonly (readonly [rule: string, name: string, folder: string, code: string])[] = [
  ['services-know-no-http', 'a service that imports fastify', 'services/things', "import 'fastify'"],
  [
    'services-know-no-http',
    'a service that imports a plugin of fastify',
    'services/things',
    "import '@fastify/cors'",
  ],
  [
    'services-know-no-http',
    "a service that imports fastify's types",
    'services/things',
    "import type { FastifyRequest } from 'fastify'\nexport type R = FastifyRequest",
  ],
  [
    'services-know-no-http',
    'a service that imports fastify-plugin',
    'services/things',
    "import 'fastify-plugin'",
  ],
  [
    'services-know-no-http',
    'a service that imports a plugin',
    'services/things',
    "import '../../plugins/database.ts'",
  ],
  [
    'services-know-no-http',
    'a service that imports a route',
    'services/things',
    "import '../../routes/api/v1/things/index.ts'",
  ],
  [
    'scopes-come-from-memberships',
    'a service that makes the database of an organization',
    'services/things',
    "import '../../lib/database/scoped-database.ts'",
  ],
  [
    'settings-are-passed-in',
    'a service that reads the configuration',
    'services/things',
    "import '../../config/load.ts'",
  ],
  [
    'settings-are-passed-in',
    'machinery that reads the configuration',
    'lib/counters',
    "import '#config/load.ts'",
  ],
  [
    'lib-knows-no-domain',
    'machinery that imports a service',
    'lib/counters',
    "import '#services/things/things.ts'",
  ],
  ['lib-knows-no-domain', 'machinery that imports a plugin', 'lib/counters', "import '#plugins/database.ts'"],
  [
    'lib-knows-no-domain',
    'machinery that imports a route',
    'lib/counters',
    "import '#routes/api/v1/things/index.ts'",
  ],
  ['lib-knows-no-domain', 'machinery that imports fastify', 'lib/counters', "import 'fastify'"],
  [
    'config-stands-alone',
    'configuration that imports machinery',
    'config',
    "import '#lib/database/database.ts'",
  ],
  ['queries-are-private', 'a query of machinery', 'services/others', "import '#lib/counters/queries.ts'"],
  ['queries-are-private', "a query of another domain's", 'services/others', "import '../things/queries.ts'"],
  [
    'queries-are-private',
    "types of another domain's queries",
    'services/others',
    "import type { D } from '../things/queries.ts'\nexport type E = D",
  ],
  [
    'queries-are-private',
    'a query loaded at run time',
    'services/others',
    "export const load = () => import('../things/queries.ts')",
  ],
  [
    'queries-behind-services',
    'a route that queries',
    'routes/api/v1/things',
    "import '../../../../services/things/queries.ts'",
  ],
  ['queries-behind-services', 'a plugin that queries', 'plugins', "import '../services/things/queries.ts'"],
  ['routes-call-services', 'a route that imports pg', 'routes/api/v1/things', "import 'pg'"],
  [
    'routes-call-services',
    'a route that imports the configuration',
    'routes/api/v1/things',
    "import '../../../../config/load.ts'",
  ],
  [
    'routes-name-the-actor',
    'a route that imports what asks no permission',
    'routes/api/v1/things',
    "import '#services/things/records.ts'",
  ],
  [
    'routes-name-the-actor',
    'a route that does what operators do',
    'routes/api/v1/things',
    "import '#services/things/operators.ts'",
  ],
  [
    'routes-see-plugin-types-only',
    'a route that imports a plugin',
    'routes/api/v1/things',
    "import '../../../../plugins/database.ts'",
  ],
  [
    'plugins-load-in-order',
    'a plugin of the infrastructure that imports one of http',
    'plugins/infrastructure',
    "import '../http/cors.ts'",
  ],
  [
    'plugins-load-in-order',
    "a plugin of http that imports an api plugin's types",
    'plugins/http',
    "import type { T } from '../api/tokens.ts'\nexport type U = T",
  ],
  [
    'plugins-know-no-routes',
    'a plugin that imports a route',
    'plugins',
    "import '../routes/api/v1/things/index.ts'",
  ],
  [
    'schemas-stand-alone',
    'a schema that imports a service',
    'schemas',
    "import '../services/things/things.ts'",
  ],
  ['schemas-stand-alone', 'a schema that imports a library', 'schemas', "import 'pg'"],
  ['schemas-stand-alone', 'a schema that imports a module of Node', 'schemas', "import 'node:fs'"],
  ['config-stands-alone', 'configuration that imports a plugin', 'config', "import '#plugins/database.ts'"],
  ['config-stands-alone', 'configuration that imports a schema', 'config', "import '../schemas/things.ts'"],
  [
    'processes-are-the-servers',
    'a plugin that talks to the primary',
    'plugins',
    "import '#process/primary.ts'",
  ],
  [
    'nothing-needs-the-benchmark',
    'a service that imports the benchmark',
    'services/things',
    "import '../../bench/load.ts'",
  ],
  [
    'the-panel-is-a-client',
    'a page that imports the library of jobs',
    'admin/pages',
    "import '../../lib/database/database.ts'",
  ],
  [
    'browsers-get-no-schemas',
    'a page that imports more of a schema than types',
    'admin/pages',
    "import '../../schemas/things.ts'",
  ],
  [
    'the-service-runs-no-browser-code',
    'a service that imports a page',
    'services/things',
    "import '../../admin/main.ts'",
  ],
  ['no-tests-in-production', 'production that imports a test', 'plugins', "import '../test/things.test.ts'"],
  ['no-dev-dependencies', 'production that imports a development dependency', 'plugins', "import 'tap'"],
  ['no-unresolvable', 'an import that leads nowhere', 'plugins', "import './nothing.ts'"],
  ['no-cycles', 'modules that import each other', 'schemas', "import './circle.ts'"],
  [
    'no-cycles',
    'modules that import types of each other',
    'services/others',
    "export type { Round } from './circle.ts'",
  ],
]

t.test('the rules bite', async (t) => {
  const files: Record<string, string> = { ...GOOD }
  const breaches = BREACHES.map(([rule, name, folder, code], index) => {
    const file = `${folder}/breach-${index}.ts`
    files[file] = code
    if (rule === 'no-cycles')
      files[`${folder}/circle.ts`] = `export type { Round } from './breach-${index}.ts'`
    return { rule, name, file }
  })
  const directory = await plant(t, files)
  const { violations } = await cruise(directory)
  for (const { rule, name, file } of breaches) {
    const found = violations.filter((violation) => violation.startsWith(`${rule}: ${file} ->`))
    t.equal(found.length, 1, name)
  }
  const clean = violations.filter((violation) => !/breach|circle/.test(violation))
  t.strictSame(clean, [], 'nothing else is found')
  await t.rejects(execute(process.execPath, [depcruise, '.'], { cwd: directory }), 'npm run check fails')

  const path = join(root, '.dependency-cruiser.mjs')
  const { default: config }: { default: { forbidden: { name: string }[] } } = await import(path)
  const tried = new Set(BREACHES.map(([rule]) => rule))
  t.strictSame([...tried].sort(), config.forbidden.map(({ name }) => name).sort(), 'each was tried')
})

t.test('a tree that keeps the rules passes', async (t) => {
  const { violations, modules } = await cruise(await plant(t, GOOD))
  t.strictSame(violations, [])
  t.ok(modules > 10, 'it was looked at')
})

/** Writes a tree with our rules, our packages and these files. */
async function plant(t: Test, files: Record<string, string>): Promise<string> {
  const directory = t.testdir()
  for (const name of ['.dependency-cruiser.mjs', 'package.json', 'tsconfig.json']) {
    await cp(join(root, name), join(directory, name))
  }
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
  for (const [name, code] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), code)
  }
  return directory
}
