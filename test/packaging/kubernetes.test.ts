import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import t from 'tap'
import { parse } from 'yaml'
import { CHART, compile, find, KUBERNETES, parseManifests, rendered, validate } from './manifests.ts'
import { readRules } from './monitoring.ts'

t.test('what the chart makes is what the API knows', async (t) => {
  validate(t, parseManifests(rendered))
})

t.test('what is wrong is found', async (t) => {
  const [manifest] = parseManifests(
    rendered.slice(rendered.indexOf('---\n# Source: groundwork/templates/web.yaml')),
  )
  const broken = structuredClone(manifest)
  if (broken === undefined) throw new Error('there is a Deployment')
  Object.assign(broken.spec, { replicas: 'two' })
  t.throws(() => Reflect.construct(Deployment, [broken]).validate(), 'a wrong value')
  const misspelt = structuredClone(manifest)
  Object.assign(misspelt?.spec.template.spec ?? {}, { terminationGraceSeconds: 1 })
  t.match(compile(t, misspelt ? [misspelt] : []), 'terminationGraceSeconds', 'an unknown field')
})

t.test('pods are as the service needs them', async (t) => {
  const manifests = parseManifests(rendered)
  for (const [name, role] of [
    ['groundwork-web', 'web'],
    ['groundwork-worker', 'worker'],
  ] as const) {
    const pod = find(manifests, 'Deployment', name).spec.template.spec
    const [container] = pod.containers
    const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]))
    t.match(env, {
      APP_ROLE: role,
      APP_DATABASE__MIGRATE_ON_START: 'false',
      APP_DATABASE__URL_FILE: '/run/secrets/groundwork/database_url',
      APP_SERVER__TRUSTED_PROXIES: '10.244.0.0/16',
    })
    const seconds = (variable: string) => Number.parseInt(env[variable] ?? '', 10)
    t.ok(seconds('APP_SERVER__DRAIN_DELAY') < seconds('APP_SERVER__SHUTDOWN_TIMEOUT'))
    t.ok(pod.terminationGracePeriodSeconds > seconds('APP_SERVER__SHUTDOWN_TIMEOUT'), 'it is never cut off')
    t.match(pod, {
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 10001 },
    })
    t.match(container, {
      securityContext: {
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      },
      livenessProbe: { httpGet: { path: '/live' } },
      startupProbe: { httpGet: { path: '/live' } },
      readinessProbe: { httpGet: { path: '/ready' } },
    })
  }
  const migration = find(manifests, 'Job', 'groundwork-migration')
  t.match(migration.metadata.annotations, { 'helm.sh/hook': 'pre-install,pre-upgrade' })
  t.strictSame(migration.spec.template.spec.containers[0].command, ['node', 'commands/migrate.ts', 'up'])
})

t.test('its alerts are those of deploy/monitoring', async (t) => {
  const { groups } = find(parseManifests(rendered), 'PrometheusRule', 'groundwork').spec
  const names = groups.flatMap(({ rules }) =>
    rules.map(({ alert, record, expr }) => ({ name: alert ?? record, expr })),
  )
  const ours = readRules().filter(({ file }) => file !== 'external.yml')
  t.strictSame(names.map(({ name }) => name).sort(), ours.map(({ alert, record }) => alert ?? record).sort())
  for (const { name, expr } of names) {
    t.equal(expr, ours.find(({ alert, record }) => (alert ?? record) === name)?.expr, `${name}`)
  }
})

t.test('the values have a schema, and templates ask for values that exist', async (t) => {
  const values = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8'))
  const validateValues = new Ajv({ strict: false }).compile(
    JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')),
  )
  t.notOk(validateValues(values), 'what must be given must be given')
  const example = parse(readFileSync(join(KUBERNETES, 'examples/production.yaml'), 'utf8'))
  t.ok(
    validateValues({
      ...values,
      ...example,
      shutdown: values.shutdown,
      secret: {
        ...values.secret,
        ...example.secret,
        files: { ...values.secret.files, ...example.secret.files },
      },
    }),
    JSON.stringify(validateValues.errors),
  )
  for (const file of globSync('templates/*', { cwd: CHART })) {
    const text = readFileSync(join(CHART, file), 'utf8')
    for (const [, path = ''] of text.matchAll(/\.Values\.([\w.]+)/g)) {
      const value = path.split('.').reduce((node: unknown, key) => {
        return typeof node === 'object' && node !== null ? Reflect.get(node, key) : undefined
      }, values)
      if (path !== 'nameOverride') t.not(value, undefined, `${file}: ${path}`)
    }
  }
})

/** Paths of the document that the world does not get. */
const INTERNAL = ['/health', '/live', '/metrics', '/ready']

t.test('the Ingress passes on all that clients call, and nothing of operators', async (t) => {
  const document: { paths: object } = JSON.parse(readFileSync(join(KUBERNETES, '../../openapi.json'), 'utf8'))
  const called = new Set(Object.keys(document.paths).map((path) => /^\/[^/]+/.exec(path)?.[0] ?? path))
  const { rules } = find(parseManifests(rendered), 'Ingress', 'groundwork').spec
  const passed = rules.flatMap(({ http }) => http.paths.map(({ path }) => path))
  // The pages that mails lead to are not in the document.
  t.strictSame([...passed, ...INTERNAL].sort(), [...called, '/account'].sort())
})

t.test('a backup is made by the schedule, and watched', async (t) => {
  const manifests = parseManifests(rendered)
  const { template } = find(manifests, 'CronJob', 'groundwork-backup').spec.jobTemplate.spec
  const [container] = template.spec.containers
  t.match(container, {
    image: 'registry.example.com/groundwork-backup:0.1.0',
    command: ['node', 'commands/backup.ts', '--to', 's3://example-backups/groundwork', '--keep', '14'],
    envFrom: [{ secretRef: { name: 'groundwork-backup' } }],
  })
  const metrics = find(manifests, 'Service', 'groundwork-metrics').spec.selector
  for (const name of ['groundwork-web', 'groundwork-worker']) {
    t.match(find(manifests, 'Deployment', name).spec.template.metadata.labels, metrics, `${name} is scraped`)
  }
  t.notMatch(template.metadata.labels, metrics, 'a job is not: it would be an instance that is down')
})

t.test('the README of the chart names every value', async (t) => {
  const values: Record<string, unknown> = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8'))
  const readme = readFileSync(join(CHART, 'README.md'), 'utf8')
  for (const name of Object.keys(values)) t.match(readme, new RegExp(`\`${name}[.\`]`), name)
})
