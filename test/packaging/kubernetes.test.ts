import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  PrometheusRule,
  ServiceMonitor,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/index'
import { Ajv } from 'ajv'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { Job } from 'kubernetes-models/batch/v1/Job'
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { Service } from 'kubernetes-models/v1/Service'
import t, { type Test } from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { readRules } from './monitoring.ts'

const KUBERNETES = join(import.meta.dirname, '../../deploy/kubernetes')
const CHART = join(KUBERNETES, 'groundwork')

const TSC = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc')

const hasHelm = spawnSync('helm', ['version']).error === undefined
const skip = hasHelm ? false : 'helm is not installed'

/** The API's schemas, compiled, and where the types of the same stand. */
const KINDS = {
  Deployment: [Deployment, 'kubernetes-models/apps/v1/Deployment'],
  HorizontalPodAutoscaler: [
    HorizontalPodAutoscaler,
    'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler',
  ],
  Ingress: [Ingress, 'kubernetes-models/networking.k8s.io/v1/Ingress'],
  Job: [Job, 'kubernetes-models/batch/v1/Job'],
  NetworkPolicy: [NetworkPolicy, 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'],
  PodDisruptionBudget: [PodDisruptionBudget, 'kubernetes-models/policy/v1/PodDisruptionBudget'],
  Service: [Service, 'kubernetes-models/v1/Service'],
  ServiceMonitor: [
    ServiceMonitor,
    '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor',
  ],
  PrometheusRule: [
    PrometheusRule,
    '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule',
  ],
} as const

interface Container {
  env: { name: string; value: string }[]
  securityContext: object
  livenessProbe: object
  readinessProbe: object
  startupProbe: object
  command?: string[]
}

interface Manifest {
  kind: keyof typeof KINDS
  metadata: { name: string; annotations?: Record<string, string> }
  spec: {
    template: { spec: { containers: [Container]; terminationGracePeriodSeconds: number } }
    groups: { rules: { alert?: string; record?: string; expr: string }[] }[]
  }
}

function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => document.toJS() ?? [])
}

const rendered = readFileSync(join(KUBERNETES, 'rendered.yaml'), 'utf8')

/** What the API would say: wrong values by its schemas, and unknown fields by its types. */
function validate(t: Test, manifests: readonly Manifest[]): void {
  for (const manifest of manifests) check(t, manifest)
  t.equal(compile(t, manifests), '', 'they have no field that the API does not know')
}

/** What the compiler finds wrong in manifests as literals of the API's types. */
function compile(t: Test, manifests: readonly Manifest[]): string {
  const lines = manifests.map((manifest, n) => {
    const [, path] = KINDS[manifest.kind]
    const name = `T${n}`
    return `import type { I${manifest.kind} as ${name} } from '${path}'
export const m${n}: ${name} = ${JSON.stringify(manifest)}`
  })
  const file = join(t.testdir({ 'manifests.ts': lines.join('\n') }), 'manifests.ts')
  const options = '--ignoreConfig --noEmit --strict --skipLibCheck --target es2024 --module nodenext'.split(
    ' ',
  )
  const { stdout } = spawnSync(process.execPath, [TSC, ...options, file], { encoding: 'utf8' })
  return stdout
}

function check(t: Test, manifest: Manifest): void {
  t.ok(KINDS[manifest.kind], `${manifest.kind} is known`)
  const [Model] = KINDS[manifest.kind]
  const model = Reflect.construct(Model, [manifest])
  t.doesNotThrow(() => model.validate(), `${manifest.kind} ${manifest.metadata.name} is as the API has it`)
}

function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name)
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`)
  return found
}

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

t.test('with helm', { skip }, async (t) => {
  const folder = t.testdir({})
  const file = join(folder, 'rendered.yaml')
  t.equal(spawnSync('sh', [join(KUBERNETES, 'render.sh'), file]).status, 0)
  t.equal(
    readFileSync(file, 'utf8'),
    rendered,
    'rendered.yaml is of this chart; else: sh deploy/kubernetes/render.sh',
  )

  const template = (...set: string[]) =>
    spawnSync(
      'helm',
      [
        'template',
        'g',
        CHART,
        '--kube-version',
        '1.31.0',
        '--values',
        join(KUBERNETES, 'examples/production.yaml'),
      ].concat(set.flatMap((each) => ['--set', each])),
      { encoding: 'utf8' },
    )
  const least = template(
    'worker.replicas=0',
    ...[
      'web.autoscaling',
      'ingress',
      'networkPolicy',
      'monitoring.serviceMonitor',
      'monitoring.prometheusRule',
    ].map((name) => `${name}.enabled=false`),
  )
  const manifests = parseManifests(least.stdout)
  validate(t, manifests)
  t.match(find(manifests, 'Deployment', 'g-web').spec.template.spec.containers[0].env[0], {
    name: 'APP_ROLE',
    value: 'all',
  })
  t.not(template('config.APP_JWT__SECRET=x').status, 0, 'a secret among the variables is refused')
  t.not(template('web.replica=3').status, 0, 'and so is a value that does not exist')
})
