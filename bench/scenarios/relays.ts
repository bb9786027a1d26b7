import { spawnSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from '#lib/embedded-postgres/server.ts'
import type { Lab } from '../environment/lab.ts'
import { requestsOf } from '../environment/subject.ts'
import { runOpenLoop } from '../load/open-loop.ts'
import { startServer } from '../system/server-process.ts'
import type { Figure, FigureOptions } from './scenario.ts'

export const SEALING_LAG = 'audit entry to its seal at 500 a second, p99'
export const PUBLISHED = 'events published to NATS by one relay'

/** Audit entries a second. */
const ENTRY_RATE = 500
const ACCOUNTS = 60
/** Events that wait for the broker. */
const EVENTS = 20_000

/** The lag of the sealer, as the service's own histogram has it: the bound below which 99 % of the entries were. */
export async function measureSealing(lab: Lab, { quick, onWork }: FigureOptions): Promise<Figure[]> {
  const service = await lab.service('groundwork, sealing', { users: ACCOUNTS })
  onWork(`${ENTRY_RATE} audit entries a second`)
  const { origin } = service.server
  const requests = requestsOf(service, 'create_project', ACCOUNTS)
  const load = { origin, requests, rate: ENTRY_RATE, seconds: quick ? 3 : 15 }
  await runOpenLoop({ ...load, connections: 128, patience: 5000 })
  await sleep(4000)
  const text = await (await fetch(`${origin}/metrics`)).text()
  await lab.endServers()
  return [{ name: SEALING_LAG, value: boundOf(text, 'audit_sealing_lag_seconds', 0.99) * 1000, unit: 'ms' }]
}

/** The upper bound of the bucket of a histogram in which a quantile lies. */
function boundOf(text: string, name: string, quantile: number): number {
  const series = new RegExp(`^${name}_bucket\\{[^}]*le="([^"]+)"[^}]*\\} (\\d+)`, 'gm')
  const buckets = [...text.matchAll(series)].map(
    ([, bound, count]) => [Number(bound), Number(count)] as const,
  )
  const total = Math.max(0, ...buckets.map(([, count]) => count))
  if (total === 0) throw new Error(`${name} has no values`)
  return buckets.find(([, count]) => count >= total * quantile)?.[0] ?? Number.POSITIVE_INFINITY
}

/** How fast events that wait are published, where there is a nats-server. */
export async function measurePublishing(lab: Lab, { quick, onWork }: FigureOptions): Promise<Figure[]> {
  if (spawnSync('nats-server', ['--version']).status !== 0) return []
  const url = await lab.database('small')
  const client = new pg.Client({ connectionString: url, options: '-c app.scope=system' })
  await client.connect()
  const nats = await startNats(lab)
  try {
    const count = quick ? EVENTS / 10 : EVENTS
    await client.query('UPDATE events SET broker_at = now() WHERE broker_at IS NULL')
    await client.query(
      `INSERT INTO events (id, type, version, subject_type, subject_id, actor_kind, data, fanned_out_at)
       SELECT gen_random_uuid(), 'users.updated', 1, 'user', gen_random_uuid(), 'system', '{"changed":["username"]}', now()
       FROM generate_series(1, $1)`,
      [count],
    )
    const waiting = async () =>
      (await client.query<{ n: number }>('SELECT count(*)::int AS n FROM events WHERE broker_at IS NULL'))
        .rows[0]?.n ?? 0
    onWork(`${count} events to NATS`)
    await lab.service('groundwork, broker', {
      users: 0,
      env: { APP_BROKER__KIND: 'nats', APP_BROKER__URLS: nats.url, APP_BROKER__PREFIX: 'bench' },
    })
    while ((await waiting()) > count - 200) await sleep(2)
    const [begin, left] = [performance.now(), await waiting()]
    while ((await waiting()) > 0) await sleep(20)
    const seconds = (performance.now() - begin) / 1000
    return [{ name: PUBLISHED, value: left / seconds, unit: '/s' }]
  } finally {
    await lab.endServers()
    await nats.stop()
    await client.end()
  }
}

async function startNats(lab: Lab): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await freePort()
  const store = join(lab.options.directory, 'nats')
  await mkdir(store, { recursive: true })
  const monitoring = await freePort()
  const server = await startServer({
    name: 'nats-server',
    directory: lab.options.directory,
    command: 'nats-server',
    args: ['-a', '127.0.0.1', '-js', '-sd', store, '-p', String(port), '-m', String(monitoring)],
    cwd: store,
    port: monitoring,
    readyPath: '/healthz',
    env: () => ({}),
  })
  return { url: `nats://127.0.0.1:${port}`, stop: () => server.stop() }
}
