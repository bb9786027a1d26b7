import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { freePort } from '#test/support/free-port.ts'
import { call, signUpRemote } from '#test/support/http.ts'
import { startProcess, startService } from '#test/support/process.ts'
import { MONITORING, queriesOf, readDashboards, readPrometheus } from './monitoring.ts'

const skip =
  spawnSync('prometheus', ['--version']).error === undefined ? false : 'prometheus is not installed'

const TOKEN = 'a token that only Prometheus knows'

/** Parts of queries that have no answer where nothing fails, and where there is neither replica, Redis, broker nor cluster. */
const MAY_BE_EMPTY = [
  /\b(?:db_replica_|redis_|broker_|realtime_centrifugo_up)/,
  /\bchanges\(process_start_time_seconds/,
  /status_code=~"(?:4|5)/,
  /\berrors_total\b/,
  /\bALERTS\b/,
  /operation=~"refreshTokens\|/,
  /^sum by \(stage, reason\)/,
  // Of days and minutes that have not been.
  /ratio_rate\w+\{/,
]

t.test(
  'Prometheus answers each query of the dashboards, of a service where all is well',
  { skip },
  async (t) => {
    const service = await startService(t, {
      APP_DATABASE__URL: (await createTestDatabase(t)).url,
      APP_METRICS__TOKEN: TOKEN,
      APP_RATE_LIMIT__ENABLED: 'true',
    })
    const ask = await startPrometheus(t, new URL(service.url).host)
    const { email, token } = await signUpRemote(service.url)
    await eventually(async () => (await ask('up')).length > 0)
    const sent = 'job_runs_total{queue="send_mail"}'
    // `rate` needs a sample before and one after.
    for (const seen of [sent, `rate(${sent}[1m]) > 0`]) {
      // Its mail is a job.
      await call(`${service.url}/api/v1/auth/password/forgot`, { method: 'POST', json: { email } })
      await call(`${service.url}/api/v1/users/me`, { token })
      await eventually(async () => (await ask(seen)).length > 0)
      await signUpRemote(service.url)
    }
    await eventually(async () => (await ask('rate(logins_total{outcome="success"}[1m]) > 0')).length > 0)

    const empty: string[] = []
    for (const dashboard of readDashboards()) {
      for (const { where, expression } of queriesOf(dashboard)) {
        const found = await ask(expression)
        if (found.length > 0 || MAY_BE_EMPTY.some((part) => part.test(expression))) continue
        empty.push(`${where}: ${expression}`)
      }
    }
    t.strictSame(empty, [])
  },
)

/** Starts a Prometheus with our rules that scrapes a service each second; returns what asks it. */
async function startPrometheus(t: Test, target: string): Promise<(query: string) => Promise<object[]>> {
  const directory = await mkdtemp(join(tmpdir(), 'groundwork-test-'))
  t.teardown(() => rm(directory, { recursive: true, maxRetries: 5 }))
  const { text } = readPrometheus('prometheus.yml')
  const config = text
    .replace(/scrape_interval: .*/, 'scrape_interval: 1s')
    .replace(/scrape_timeout: .*/, 'scrape_timeout: 1s')
    .replace(/evaluation_interval: .*/, 'evaluation_interval: 1s')
    .replaceAll(/rules\//g, `${MONITORING}/rules/`)
    .replace(/credentials_file: .*/, `credentials: ${TOKEN}`)
    .replace('127.0.0.1:8080', target)
  await writeFile(join(directory, 'prometheus.yml'), config)
  const port = await freePort()
  startProcess(t, 'prometheus', [
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ])
  return async (query) => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`
    const { status: code, text } = await call(url).catch(() => ({ status: 503, text: '' }))
    // It starts.
    if (code === 503) return []
    const { status, error, data } = JSON.parse(text)
    if (status !== 'success') throw new Error(`${query}: ${error}`)
    return data.result
  }
}
