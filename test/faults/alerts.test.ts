import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse, stringify } from 'yaml'
import {
  MONITORING,
  type PrometheusConfig,
  queriesOf,
  readDashboards,
  readRules,
} from '#test/packaging/monitoring.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call, signUpRemote } from '#test/support/http.ts'
import { startProcess, startService } from '#test/support/process.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'

// Three processes, on a machine that may be busy.
t.setTimeout(300_000)

const hasPrometheus = spawnSync('prometheus', ['--version']).error === undefined
const skip = hasPrometheus ? false : 'prometheus is not installed'

const TOKEN = 'a token that only Prometheus knows'

interface Config {
  global: object
  scrape_configs: { job_name: string; static_configs?: object[]; authorization?: object }[]
}

/** Our configuration for these targets; it looks every two seconds. */
function configure(targets: string[]): string {
  const config: Config = parse(readFileSync(join(MONITORING, 'prometheus.yml'), 'utf8'))
  config.global = { scrape_interval: '2s', scrape_timeout: '2s', evaluation_interval: '2s' }
  for (const job of config.scrape_configs) {
    if (job.job_name !== 'groundwork') continue
    job.static_configs = [{ targets }]
    job.authorization = { type: 'Bearer', credentials_file: 'token' }
  }
  return stringify(config)
}

/** Our rules, whose alerts do not wait before they fire. */
function impatient(file: string): string {
  const { groups }: { groups: { rules: { for?: string }[] }[] } = parse(readFileSync(file, 'utf8'))
  for (const { rules } of groups) {
    for (const rule of rules) if (rule.for !== undefined) rule.for = '0s'
  }
  return stringify({ groups })
}

/** Starts Prometheus with our configuration, and returns a function that asks its API. */
async function startPrometheus(t: Test, targets: string[]) {
  const files = [...new Set(readRules().map(({ file }) => file))]
  const rules = files.map((file) => [file, impatient(join(MONITORING, 'rules', file))])
  const folder = t.testdir({
    'prometheus.yml': configure(targets),
    token: TOKEN,
    rules: Object.fromEntries(rules),
    data: {},
  })
  const args = [
    '--config.file=prometheus.yml',
    '--storage.tsdb.path=data',
    '--web.listen-address=127.0.0.1:0',
  ]
  const prometheus = startProcess(t, 'prometheus', args, { cwd: folder })
  let address: string | undefined
  await eventually(async () => {
    address = / msg="Listening on" address=(\S+)/.exec(prometheus.stderr())?.[1]
    return address !== undefined
  })
  return async <Data>(path: string, parameters: Record<string, string> = {}) => {
    const { text } = await call(`http://${address}/api/v1/${path}?${new URLSearchParams(parameters)}`)
    const answer: { status: string; error?: string; data: Data } = JSON.parse(text)
    return answer
  }
}

t.test('Prometheus scrapes two instances and says when the database is away', { skip }, async (t) => {
  const db = await createTestDatabase(t)
  const proxy = await startProxy(t, db.url)
  const env = { APP_DATABASE__URL: proxy.url, APP_METRICS__TOKEN: TOKEN }
  const services = [await startService(t, env), await startService(t, env)]
  const ask = await startPrometheus(
    t,
    services.map(({ url }) => new URL(url).host),
  )
  const query = (expression: string) => ask<{ result: unknown[] }>('query', { query: expression })
  const isFiring = async (name: string) => {
    const { data } = await ask<{ alerts: { state: string; labels: Record<string, string> }[] }>('alerts')
    return data.alerts.some(({ state, labels }) => state === 'firing' && labels['alertname'] === name)
  }

  await Promise.all(services.map(({ url }) => signUpRemote(url)))
  await eventually(async () => (await query('up{job="groundwork"} == 1')).data.result.length === 2)
  t.pass('both are up')

  type Groups = { groups: { rules: { name: string; health: string; lastError?: string }[] }[] }
  const readStates = async () => (await ask<Groups>('rules')).data.groups.flatMap(({ rules }) => rules)
  await eventually(async () => (await readStates()).every(({ health }) => health !== 'unknown'))
  const states = await readStates()
  const { rule_files }: PrometheusConfig = parse(readFileSync(join(MONITORING, 'prometheus.yml'), 'utf8'))
  const loaded = readRules().filter(({ file }) => rule_files.includes(`rules/${file}`))
  t.equal(states.length, loaded.length)
  for (const { name, health, lastError } of states) t.equal(health, 'ok', `${name} ${lastError ?? ''}`)

  // Rates need two scrapes.
  await eventually(async () => {
    return (await query('rate(logins_total{outcome="success"}[1m])')).data.result.length === 2
  })
  const queries = readDashboards().flatMap(queriesOf)
  for (const { where, expression } of queries) {
    const { status, error } = await query(expression)
    t.equal(status, 'success', `${where}: ${error ?? expression}`)
  }

  t.notOk(await isFiring('GroundworkDatabaseDown'))
  await proxy.cut()
  await eventually(() => isFiring('GroundworkDatabaseDown'))
  t.notOk(await isFiring('GroundworkNotReady'), 'one page, not two')
  await proxy.restore()
  await eventually(async () => !(await isFiring('GroundworkDatabaseDown')))
  t.pass('it has fired, and is resolved')
})
