import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { createTestApp } from '#test/support/helper.ts'
import { startProcess } from '#test/support/process.ts'
import { readExposition } from './exposition.ts'
import { MONITORING, readPrometheus, readRules } from './monitoring.ts'

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined
const skip = hasPromtool ? false : 'promtool is not installed'

/** Runs promtool in the folder of our files; returns its exit code and output. */
async function promtool(t: Test, args: string[], input = '') {
  const { child, exited, stdout, stderr } = startProcess(t, 'promtool', args, { cwd: MONITORING })
  child.stdin?.end(input)
  const { code } = await exited
  return { code, output: stdout() + stderr() }
}

/** A file of promtool's unit tests. */
interface UnitTests {
  tests: { name: string; promql_expr_test: { expr: string; exp_samples?: unknown[] }[] }[]
}

t.test('the metrics are as Prometheus wants them', async (t) => {
  const token = 'a token that only Prometheus knows'
  const { app } = await createTestApp(t, {
    APP_METRICS__TOKEN: token,
    // It need not be there for its metrics to be.
    APP_REDIS__URL: 'redis://127.0.0.1:1',
    APP_RATE_LIMIT__ENABLED: 'true',
  })
  const { body } = await app.inject({ url: '/metrics', headers: { authorization: `Bearer ${token}` } })
  for (const [name, { type }] of readExposition(body)) {
    if (name.endsWith('_total')) t.equal(type, 'counter', name)
  }
  t.test('says promtool', { skip }, async (t) => {
    t.same(await promtool(t, ['check', 'metrics'], body), { code: 0, output: '' })
  })
})

t.test('promtool finds nothing to object to', { skip }, async (t) => {
  // Without the token's file, which a checkout does not have.
  for (const [name, everything] of [
    ['prometheus.yml', false],
    ['prometheus.yml', true],
    ['prometheus.compose.yml', false],
    ['prometheus.prod.yml', false],
  ] as const) {
    const file = join(t.testdir({ [name]: readPrometheus(name, everything).text }), name)
    const config = await promtool(t, ['check', 'config', '--syntax-only', file])
    t.equal(config.code, 0, config.output)
  }
  const rules = await promtool(t, ['check', 'rules', ...globSync('rules/*.yml', { cwd: MONITORING })])
  t.equal(rules.code, 0, rules.output)
})

t.test('alerts fire when they should, and only then', { skip }, async (t) => {
  const { code, output } = await promtool(t, [
    'test',
    'rules',
    ...globSync('tests/*.test.yml', { cwd: MONITORING }),
  ])
  t.equal(code, 0, output)
})

t.test('each alert has a case in which it fires and one in which it does not', async (t) => {
  const tests = globSync('tests/*.test.yml', { cwd: MONITORING }).flatMap((file) => {
    const { tests }: UnitTests = parse(readFileSync(join(MONITORING, file), 'utf8'))
    return tests.flatMap(({ promql_expr_test }) => promql_expr_test)
  })
  for (const { alert } of readRules()) {
    if (alert === undefined) continue
    const expression = `count(ALERTS{alertname="${alert}", alertstate="firing"})`
    const cases = tests.filter(({ expr }) => expr === expression)
    t.ok(
      cases.some(({ exp_samples = [] }) => exp_samples.length > 0),
      `${alert} fires`,
    )
    t.ok(
      cases.some(({ exp_samples = [] }) => exp_samples.length === 0),
      `${alert} does not`,
    )
  }
})
