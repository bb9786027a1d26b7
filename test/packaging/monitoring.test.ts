import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, type TestApp } from '#test/support/helper.ts'
import { type Metric, readExposition } from './exposition.ts'
import { MONITORING, queriesOf, readDashboards, readJobs, readPrometheus, readRules } from './monitoring.ts'
import { analyse, type Matcher } from './promql.ts'

/** Metrics and their labels that are not the service's. */
const EXTERNAL: Record<string, string[]> = {
  // Prometheus itself.
  up: [],
  ALERTS: ['alertname', 'alertstate'],
  // blackbox_exporter.
  probe_success: [],
  probe_ssl_earliest_cert_expiry: [],
}

/** Metrics that the service has with Redis or with replicas only, which are not configured here. */
const OPTIONAL: Record<string, Record<string, string[]>> = {
  redis_up: {},
  redis_command_failures_total: { reason: ['lost', 'no_answer', 'refused'] },
  db_replica_reads_total: { replica: [] },
  realtime_centrifugo_up: {},
  db_replica_fallbacks_total: { reason: ['none_up', 'behind', 'conflict', 'failed', 'no_position'] },
  db_replica_state: { replica: [], state: ['up', 'behind', 'down', 'not_standby'] },
  db_replica_lag_seconds: { replica: [] },
}

/** Values of labels that it takes a fault to see. */
const RARE: Record<string, string[]> = {
  outcome: ['too_many_attempts', 'error', 'retried', 'dead'],
  state: ['40001', '40P01'],
  subject: ['user'],
  result: ['shared'],
}

/** Labels of every series that Prometheus scrapes. */
const TARGET = ['job', 'instance']

/** Makes requests until each metric that rules and dashboards ask for has series. */
async function makeTraffic({ app, db, request, signUp }: TestApp): Promise<void> {
  const { user, password, headers } = await signUp()
  const login = (payload: object) => request({ method: 'POST', url: '/api/v1/auth/login', payload })
  await login({ email: user.email, password })
  await login({ email: user.email, password: 'a wrong one' })
  await request({ url: '/api/v1/users/me', headers })
  await request({ url: '/broken' })
  await db.query('INSERT INTO backups (created_at, size) VALUES (now(), 1)')
  // Its mail is two jobs.
  await request({ method: 'POST', url: '/api/v1/auth/password/forgot', payload: { email: user.email } })
  await eventually(async () => {
    return (await app.metrics.metrics()).includes('job_runs_total{queue="send_mail",outcome="completed"}')
  })
}

async function scrape(t: Test) {
  // A machine that is busy with tests is not overloaded.
  const test = await createTestApp(
    t,
    {
      APP_PRESSURE__MAX_EVENT_LOOP_DELAY: '0ms',
      APP_RATE_LIMIT__ENABLED: 'true',
      // Nobody is there, which is enough for its metrics.
      APP_BROKER__KIND: 'nats',
      APP_BROKER__URLS: 'nats://127.0.0.1:1',
    },
    async (app) => {
      app.get('/broken', { schema: { hide: true } }, async () => {
        throw new Error('a fault')
      })
    },
  )
  await makeTraffic(test)
  const { body } = await test.request({ url: '/metrics' })
  const document = JSON.stringify(test.app.swagger().paths)
  const operations = [...document.matchAll(/"operationId":"(\w+)"/g)].map(([, id = '']) => id)
  return { metrics: readExposition(body), operations: new Set([...operations, 'unknown', 'other']) }
}

/** The values that a matcher names, or a pattern that has to match one. */
function wanted({ operator, value }: Matcher): (string | RegExp)[] {
  if (!operator.includes('~')) return [value]
  return /^[\w|]+$/.test(value) ? value.split('|') : [new RegExp(`^(?:${value})$`)]
}

/** Checks expressions against what was scraped. */
class Checker {
  readonly #served: ReadonlyMap<string, Metric>
  readonly #operations: ReadonlySet<string>
  readonly #jobs = readJobs()
  readonly #recorded = new Map<string, ReadonlySet<string>>()

  constructor(served: ReadonlyMap<string, Metric>, operations: ReadonlySet<string>) {
    this.#served = served
    this.#operations = operations
  }

  /** Problems of an expression, and of the statements about its result's labels. */
  check(expression: string, mentioned: Iterable<string> = []): string[] {
    const { problems, labels, selectors } = analyse(expression, (name) => this.#labelsOf(name))
    const missing = new Set(mentioned).difference(labels)
    return [
      ...problems,
      ...[...missing].map((label) => `the result has no label ${label}`),
      ...selectors.flatMap(({ metric, matchers }) => this.#checkValues(metric, matchers)),
    ]
  }

  record(name: string, expression: string): void {
    this.#recorded.set(name, analyse(expression, (metric) => this.#labelsOf(metric)).labels)
  }

  #labelsOf(name: string): ReadonlySet<string> | undefined {
    const recorded = this.#recorded.get(name)
    if (recorded !== undefined) return recorded
    const own = EXTERNAL[name] ?? OPTIONAL[name] ?? this.#served.get(name)?.labels
    if (own === undefined) return undefined
    return new Set([
      ...TARGET,
      ...(Array.isArray(own) ? own : own instanceof Map ? own.keys() : Object.keys(own)),
    ])
  }

  #checkValues(metric: string, matchers: Matcher[]): string[] {
    const served = this.#served.get(metric)
    if (served?.series === 0) return [`${metric} has no series here: let makeTraffic() make one`]
    return matchers.flatMap((matcher) => {
      const known = this.#valuesOf(metric, matcher.label)
      if (known === undefined) return []
      const unknown = wanted(matcher).filter((value) =>
        typeof value === 'string' ? !known.has(value) : ![...known].some((each) => value.test(each)),
      )
      return unknown.map((value) => `${metric} never has ${matcher.label} ${value}`)
    })
  }

  /** The values that a label may have; undefined where they are open. */
  #valuesOf(metric: string, label: string): ReadonlySet<string> | undefined {
    if (label === 'job') return new Set(this.#jobs)
    if (label === 'status_code') return undefined
    if (label === 'operation' && metric.startsWith('http_')) return this.#operations
    const seen = this.#served.get(metric)?.labels.get(label) ?? OPTIONAL[metric]?.[label]
    return seen === undefined ? undefined : new Set([...seen, ...(RARE[label] ?? [])])
  }
}

t.test('rules and dashboards ask for metrics, labels and values that exist', async (t) => {
  const { metrics, operations } = await scrape(t)
  const checker = new Checker(metrics, operations)
  const rules = readRules()
  for (const { record, expr } of rules) {
    if (record === undefined) continue
    t.same(checker.check(expr), [], record)
    checker.record(record, expr)
  }
  for (const { alert, expr, annotations = {} } of rules) {
    if (alert === undefined) continue
    const mentioned = Object.values(annotations)
      .join()
      .matchAll(/\$labels\.(\w+)/g)
    t.same(
      checker.check(
        expr,
        [...mentioned].map(([, label = '']) => label),
      ),
      [],
      alert,
    )
  }
  const queries = readDashboards().flatMap(queriesOf)
  t.ok(queries.length > 80, 'queries are found')
  for (const { where, expression, legend } of queries) {
    const mentioned = legend.matchAll(/\{\{(\w+)\}\}/g)
    t.same(
      checker.check(
        expression,
        [...mentioned].map(([, label = '']) => label),
      ),
      [],
      where,
    )
  }
})

t.test(
  'whatever is refused at admission counts as overload, and its runbook says what it means',
  async (t) => {
    const { app } = await borrowTestApp(t, { APP_ROLE: 'web' })
    const series = await app.metrics.getSingleMetricAsString('http_requests_refused_total')
    const reasons = [...series.matchAll(/stage="admission",reason="(\w+)"/g)].map(([, reason = '']) => reason)
    t.ok(reasons.length > 2)
    const rule = readRules().find(({ record }) => record === 'instance:http_requests_overloaded:sum')
    const counted = /reason=~"([\w|]+)"/.exec(rule?.expr ?? '')?.[1]?.split('|')
    const runbook = readFileSync(join(MONITORING, '../../docs/runbooks/service.md'), 'utf8')
    for (const reason of reasons) {
      t.ok(counted?.includes(reason), reason)
      t.match(runbook, `\`${reason}\``)
    }
  },
)

t.test('each Prometheus loads rules only of what it scrapes', async (t) => {
  const cases: [name: string, everything: boolean, backups: boolean][] = [
    ['prometheus.yml', false, false],
    ['prometheus.yml', true, true],
    ['prometheus.compose.yml', false, false],
    ['prometheus.prod.yml', false, true],
  ]
  const rules = readRules()
  for (const [name, everything, backups] of cases) {
    const { config } = readPrometheus(name, everything)
    const jobs = config.scrape_configs.map(({ job_name }) => job_name)
    const loaded = config.rule_files.map((file) => file.replace('rules/', ''))
    for (const file of loaded) {
      const own = rules.filter((rule) => rule.file === file)
      t.ok(own.length > 0, `${name}: there is ${file}`)
      for (const { expr } of own) {
        for (const [, job = ''] of expr.matchAll(/job="([^"]+)"/g))
          t.ok(jobs.includes(job), `${name}: ${job}`)
      }
    }
    t.equal(loaded.includes('backup.yml'), backups, `${name}: backups`)
    t.ok(loaded.includes('slo.yml') && loaded.includes('service.yml'))
  }
  const compose = readFileSync(join(MONITORING, '../compose.prod.yaml'), 'utf8')
  t.match(compose, /^ {2}backup:$/m, 'and compose.prod.yaml makes backups')
  t.match(compose, /^ {2}alertmanager:$/m)
})

t.test('the check finds what is wrong', async (t) => {
  const text = [
    '# TYPE a_seconds histogram',
    'a_seconds_bucket{kind="x",le="0.1"} 1',
    'a_seconds_count{kind="x"} 1',
    '# TYPE b_total counter',
    'b_total{kind="x"} 1',
    '# TYPE c_total counter',
  ].join('\n')
  const checker = new Checker(readExposition(text), new Set())
  const cases: [expression: string, problem: RegExp | undefined, labels?: string[]][] = [
    ['sum by (kind) (rate(a_seconds_count{job="groundwork"}[5m]))', undefined, ['kind']],
    ['histogram_quantile(0.9, sum by (le) (rate(a_seconds_bucket[5m]))) > 1', undefined],
    ['a_seconds_count / on (kind, job) b_total', undefined],
    ['time() - max(b_total{kind=~"x|x"}) > 2 * 3', undefined],
    ['absent(up{job="groundwork"})', undefined, ['job']],
    ['rate(a_second_count[5m])', /no metric a_second_count/],
    ['rate(a_seconds[5m])', /no metric a_seconds/],
    ['b_total{sort="x"}', /b_total has no label sort/],
    ['b_total{kind=~"x|y"}', /never has kind y/],
    ['b_total{kind!="y"}', /never has kind y/],
    ['b_total{kind=~"y.*"}', /never has kind/],
    ['b_total{job="another"}', /never has job another/],
    ['a_seconds_bucket{le="0.2"}', /never has le 0.2/],
    ['c_total', /c_total has no series/],
    ['sum by (sort) (b_total)', /sum has no label sort/],
    ['sum by (kind) (b_total) / sum(b_total)', /never match/],
    ['sum by (job) (b_total) and on (kind) b_total', /the left side has no label kind/],
    ['histogram_quantile(0.9, sum by (kind) (rate(a_seconds_bucket[5m])))', /has no label le/],
    ['sum by (job) (b_total)', /the result has no label kind/, ['kind']],
    ['sum by (job (b_total)', /syntax/],
  ]
  for (const [expression, problem, labels] of cases) {
    const problems = checker.check(expression, labels)
    if (problem === undefined) t.same(problems, [], expression)
    else t.match(problems.join('\n'), problem, expression)
  }
})
