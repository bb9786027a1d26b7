import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  CHART,
  check,
  compile,
  find,
  KUBERNETES,
  type Manifest,
  parseManifests,
  rendered,
  type Template,
} from './manifests.ts'

const hasHelm = spawnSync('helm', ['version']).error === undefined
const skip = hasHelm ? false : 'helm is not installed'

/** Runs helm on the chart with what a production says, and these values beside. */
function helm(t: Test, values: object, command = 'template') {
  const file = join(t.testdir({ 'values.json': JSON.stringify(values) }), 'values.json')
  const args = [command, ...(command === 'template' ? ['g'] : []), CHART, '--kube-version', '1.31.0']
  const files = [join(KUBERNETES, 'examples/production.yaml'), file]
  const all = [...args, ...files.flatMap((each) => ['--values', each])]
  return spawnSync('helm', all, { encoding: 'utf8', maxBuffer: 2 ** 26 })
}

const WITH_PODS = ['Deployment', 'Job', 'CronJob']

/** The pods of all objects that have some. */
function podsOf(manifests: readonly Manifest[]): Template['spec'][] {
  return manifests
    .filter(({ kind }) => WITH_PODS.includes(kind))
    .map(({ spec }) => (spec.jobTemplate?.spec ?? spec).template.spec)
}

interface Case {
  values: object
  /** Conditions on the rendered manifests. */
  look?: (t: Test, manifests: Manifest[]) => void
}

const CASES: Readonly<Record<string, Case>> = {
  'secrets of others': {
    values: {
      secret: {
        files: {
          APP_DATABASE__URL_FILE: { secret: 'db-app', key: 'uri' },
          APP_METRICS__TOKEN_FILE: { secret: 'scrape', key: 'token' },
          APP_REDIS__URL_FILE: null,
        },
      },
    },
    look(t, manifests) {
      for (const { containers, volumes } of podsOf(manifests)) {
        const env = JSON.stringify(containers[0].env)
        t.match(env, '"/run/secrets/groundwork/app_database__url"')
        t.notMatch(env, 'APP_REDIS__URL_FILE')
        t.match(
          JSON.stringify(volumes),
          '{"name":"db-app","items":[{"key":"uri","path":"app_database__url"}]}',
        )
        t.match(JSON.stringify(volumes), '{"secret":{"name":"groundwork"}}')
      }
      const [endpoint] = find(manifests, 'ServiceMonitor', 'g').spec.endpoints
      t.match(endpoint, { authorization: { credentials: { name: 'scrape', key: 'token' } } })
    },
  },
  'no Secret of its own': {
    values: {
      secret: {
        files: {
          APP_DATABASE__URL_FILE: { secret: 'a', key: 'uri' },
          APP_JWT__SECRET_FILE: { secret: 'b', key: 'jwt' },
          APP_METRICS__TOKEN_FILE: null,
          APP_REDIS__URL_FILE: null,
          APP_EMAIL__SMTP_URL_FILE: null,
        },
      },
    },
    look(t, manifests) {
      t.notMatch(JSON.stringify(podsOf(manifests).map(({ volumes }) => volumes)), '"name":"groundwork"')
    },
  },
  'variables, volumes and an account of its own': {
    values: {
      extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/etc/own/ca.pem' }],
      envFrom: [{ configMapRef: { name: 'settings' } }],
      extraVolumes: [{ name: 'own', configMap: { name: 'own-ca' } }],
      extraVolumeMounts: [{ name: 'own', mountPath: '/etc/own', readOnly: true }],
      serviceAccount: { create: true, name: 'own', annotations: { role: 'x' } },
      priorityClassName: 'high',
    },
    look(t, manifests) {
      t.match(find(manifests, 'ServiceAccount', 'own').metadata.annotations, { role: 'x' })
      for (const { containers } of podsOf(manifests)) {
        const [{ env, envFrom, volumeMounts }] = containers
        t.match(env.at(-1), { name: 'NODE_EXTRA_CA_CERTS' })
        t.match(envFrom, [{ configMapRef: { name: 'settings' } }])
        t.match(volumeMounts.at(-1), { mountPath: '/etc/own' })
      }
      t.equal(find(manifests, 'Deployment', 'g-web').spec.template.spec.serviceAccountName, 'own')
      t.equal(
        find(manifests, 'Job', 'g-migration').spec.template.spec.serviceAccountName,
        'default',
        'it runs before the account is there',
      )
    },
  },
  'a user that the cluster chooses': {
    values: { podSecurityContext: { runAsUser: null, runAsGroup: null, fsGroup: null } },
    look(t, manifests) {
      for (const { securityContext } of podsOf(manifests)) {
        t.strictSame(securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
      }
    },
  },
  'backups in a volume': {
    values: { backup: { to: '/backups', credentials: '', keep: 0, files: true, timeZone: 'Europe/Berlin' } },
    look(t, manifests) {
      const [{ command, envFrom, volumeMounts }] = find(manifests, 'CronJob', 'g-backup').spec.jobTemplate
        .spec.template.spec.containers
      t.strictSame(command, ['node', 'commands/backup.ts', '--to', '/backups', '--files'])
      t.equal(envFrom, undefined)
      t.match(volumeMounts.at(-1), { name: 'backups', mountPath: '/backups' })
      t.match(find(manifests, 'PersistentVolumeClaim', 'g-backups').metadata.annotations, {
        'helm.sh/resource-policy': 'keep',
      })
    },
  },
  dashboards: {
    values: { monitoring: { dashboards: { enabled: true, annotations: { folder: 'Groundwork' } } } },
    look(t, manifests) {
      const maps = manifests.filter(({ kind }) => kind === 'ConfigMap')
      t.equal(maps.length, globSync('groundwork/dashboards/*.json', { cwd: KUBERNETES }).length)
      for (const { metadata, data = {} } of maps) {
        t.match(metadata, { labels: { grafana_dashboard: '1' }, annotations: { folder: 'Groundwork' } })
        for (const text of Object.values(data)) t.match(JSON.parse(text).title, /^Groundwork: /)
      }
    },
  },
  'as little as can be': {
    values: {
      worker: { replicas: 0 },
      web: { autoscaling: { enabled: false } },
      ingress: { enabled: false },
      networkPolicy: { enabled: false },
      backup: { enabled: false },
      monitoring: { serviceMonitor: { enabled: false }, prometheusRule: { enabled: false } },
    },
    look(t, manifests) {
      t.match(find(manifests, 'Deployment', 'g-web').spec.template.spec.containers[0].env[0], {
        name: 'APP_ROLE',
        value: 'all',
      })
      t.same(
        manifests.filter(({ kind }) => kind === 'CronJob'),
        [],
      )
    },
  },
  'no backup, and no alert on it': {
    values: { backup: { enabled: false } },
    look(t, manifests) {
      t.notMatch(JSON.stringify(find(manifests, 'PrometheusRule', 'g')), 'GroundworkBackup')
    },
  },
}

const REFUSED: Readonly<Record<string, object>> = {
  'a secret among the variables': { config: { APP_JWT__SECRET: 'x' } },
  'a value that does not exist': { web: { replica: 3 } },
  'a secret without its key': { secret: { files: { APP_JWT__SECRET_FILE: { secret: 'x' } } } },
  'a destination that is neither': { backup: { to: 'backups' } },
  'a variable without a name': { extraEnv: [{ value: 'x' }] },
}

t.test('with helm', { skip }, async (t) => {
  const file = join(t.testdir({}), 'rendered.yaml')
  t.equal(spawnSync('sh', [join(KUBERNETES, 'render.sh'), file]).status, 0)
  t.equal(
    readFileSync(file, 'utf8'),
    rendered,
    'rendered.yaml is of this chart; else: sh deploy/kubernetes/render.sh',
  )
  const all: Manifest[] = []
  for (const [name, { values, look }] of Object.entries(CASES)) {
    t.test(name, async (t) => {
      const lint = helm(t, values, 'lint')
      t.equal(lint.status, 0, lint.stdout)
      const { status, stdout, stderr } = helm(t, values)
      t.equal(status, 0, stderr)
      const manifests = parseManifests(stdout)
      for (const manifest of manifests) check(t, manifest)
      look?.(t, manifests)
      all.push(...manifests)
    })
  }
  t.test('no field is unknown to the API', async (t) => t.equal(compile(t, all), ''))
  for (const [name, values] of Object.entries(REFUSED)) {
    t.test(name, async (t) => t.not(helm(t, values).status, 0, 'is refused'))
  }
})
