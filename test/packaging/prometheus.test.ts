import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { createTestApp } from '../helper.ts'

const TOKEN = 'a token that only Prometheus knows'
const { app } = await createTestApp(t, {
  APP_METRICS__TOKEN: TOKEN,
  // It need not be there for its metrics to be.
  APP_REDIS__URL: 'redis://127.0.0.1:1',
  APP_RATE_LIMIT__ENABLED: 'true',
})
const { body } = await app.inject({ url: '/metrics', headers: { authorization: `Bearer ${TOKEN}` } })
const types = new Map(
  [...body.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => [name, type] as const),
)

t.test('the alerts ask for metrics that exist', async (t) => {
  const alerts = await readFile('deploy/alerts.yml', 'utf8')
  // A selector begins with a metric's name and our job's label.
  const names = [...alerts.matchAll(/(\w+)\{job="groundwork"/g)].map(([, name = '']) => name)
  t.ok(names.length >= 11, 'every alert has a selector')
  for (const name of names.filter((name) => name !== 'up')) {
    t.ok(types.has(name.replace(/_(?:bucket|count|sum)$/, '')), `${name} is served`)
  }
})

t.test('the operations that alerts leave out exist', async (t) => {
  const alerts = await readFile('deploy/alerts.yml', 'utf8')
  const operations = JSON.stringify(app.swagger().paths)
  for (const [, pattern = ''] of alerts.matchAll(/operation!?[=~]+"([^"]+)"/g)) {
    for (const name of pattern.split('|')) t.ok(operations.includes(`"operationId":"${name}"`), name)
  }
})

t.test('only counters have the suffix of counters', async (t) => {
  for (const [name, type] of types) {
    if (name.endsWith('_total')) t.equal(type, 'counter', name)
  }
})

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined
const skip = hasPromtool ? false : 'promtool is not installed'

t.test('promtool finds nothing to object to', { skip }, async (t) => {
  const metrics = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' })
  t.match(metrics, { status: 0, stderr: '' }, 'metrics')
  // Without the token's file, which a checkout does not have.
  const config = ['check', 'config', '--syntax-only', 'deploy/prometheus.yml']
  t.match(spawnSync('promtool', config, { encoding: 'utf8' }), { status: 0 }, 'configuration')
  t.match(spawnSync('promtool', ['check', 'rules', 'deploy/alerts.yml']), { status: 0 }, 'alerts')
})
