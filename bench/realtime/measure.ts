import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { median, quantile } from '../statistics.ts'
import { type BenchClient, openClients } from './clients.ts'
import { type Audience, type Stage, startStage } from './stage.ts'

/** Milliseconds for which idle sockets are watched. */
const IDLE_MS = 15_000
const SUBSCRIBERS = 5000
/** Messages that are delivered to each of them. */
const MESSAGES = 100
/** Messages a second, and for how many seconds, where latency is measured. */
const RATE = 500
const SECONDS = 10
/** Sessions that are ended. */
const REVOKED = 200
const ROUNDS = 5
const ROUND_MS = 3000
const WRITERS = 8

const say = (line: string) => process.stdout.write(`${line}\n`)
const rounded = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 1 })

async function close(clients: readonly BenchClient[]): Promise<void> {
  for (const client of clients) client.close()
  await Promise.all(clients.map(({ ended }) => ended))
}

async function withDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, options: '-c app.scope=system' })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Writes so many events of new projects, as requests do, each of about 128 bytes; commits once. */
async function tell(client: pg.Client, org: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => uuidv7())
  await client.query(
    `INSERT INTO events (id, org_id, type, version, subject_type, subject_id, actor_kind, data)
     SELECT id, $1, 'projects.created', 1, 'project', id, 'system', '{}' FROM unnest($2::uuid[]) AS id`,
    [org, ids],
  )
  return ids
}

/** Memory and CPU of sockets that hear nothing. */
export async function measureIdle(name: string, stage: Stage, { tokens, channel }: Audience): Promise<void> {
  await sleep(2000)
  const empty = await stage.holder.usage()
  const clients = await openClients(tokens.length, (index) => ({
    url: stage.url,
    channel,
    token: tokens[index] ?? '',
  }))
  await sleep(3000)
  const before = await stage.holder.usage()
  const statements = await statementsOf(stage)
  await sleep(IDLE_MS)
  const after = await stage.holder.usage()
  const asked = ((await statementsOf(stage)) - statements) / (IDLE_MS / 1000)
  if (empty && before && after) {
    const bytes = (after.memory - empty.memory) / clients.length
    const cpu = ((after.cpu - before.cpu) / (IDLE_MS / 1000) / clients.length) * 1e6
    say(
      `${name}: ${clients.length} idle sockets: ${rounded(bytes / 1024)} KiB and ${rounded(cpu)} us/s each; ` +
        `${rounded(asked)} statements/s of the service`,
    )
  }
  await close(clients)
}

/** Statements that the service has sent so far. */
async function statementsOf({ service }: Stage): Promise<number> {
  const text = await (await fetch(`${service.origin}/metrics`)).text()
  const counts = [...text.matchAll(/^db_query_duration_seconds_count\{[^}]*\} (\d+)/gm)]
  return counts.reduce((sum, [, count = '0']) => sum + Number(count), 0)
}

/** Messages to many listeners, and what a core can send. */
export async function measureDeliveries(
  name: string,
  stage: Stage,
  audience: Audience,
  url: string,
): Promise<void> {
  let heard = 0
  const { tokens, channel, org } = audience
  const clients = await openClients(Math.min(SUBSCRIBERS, tokens.length), (index) => ({
    ...{ url: stage.url, channel, token: tokens[index] ?? '' },
    heard: () => heard++,
  }))
  await withDatabase(url, async (client) => {
    const wanted = clients.length * MESSAGES
    const [start, before] = [performance.now(), await stage.holder.usage()]
    for (let told = 0; told < MESSAGES; told += 10) await tell(client, org, 10)
    while (heard < wanted && performance.now() - start < 120_000) await sleep(5)
    const [seconds, after] = [(performance.now() - start) / 1000, await stage.holder.usage()]
    if (before && after)
      say(
        `${name}: ${rounded(heard)} of ${rounded(wanted)} deliveries to ${clients.length}: ` +
          `${rounded(heard / seconds)}/s, ${rounded(heard / (after.cpu - before.cpu))} a second of a core`,
      )
  })
  await close(clients)
}

/** From the commit until a client has it, of messages that come all the time. */
export async function measureLatency(
  name: string,
  stage: Stage,
  audience: Audience,
  url: string,
): Promise<void> {
  const { tokens, channel, org } = audience
  const committed = new Map<string, number>()
  const heard = new Map<string, number>()
  const clients = await openClients(10, (index) => ({
    ...{ url: stage.url, channel, token: tokens[index] ?? '' },
    heard: (frame, at) => {
      const id = /"id":"([^"]+)"/.exec(frame)?.[1] ?? ''
      heard.set(id, Math.max(at, heard.get(id) ?? 0))
    },
  }))
  await withDatabase(url, async (client) => {
    const start = performance.now()
    for (let told = 0; told < RATE * SECONDS; told++) {
      const ids = await tell(client, org, 1)
      for (const id of ids) committed.set(id, performance.now())
      const ahead = start + ((told + 1) * 1000) / RATE - performance.now()
      if (ahead > 1) await sleep(ahead)
    }
    const took = (performance.now() - start) / 1000
    await sleep(2000)
    const times = [...committed].flatMap(([id, at]) => {
      const until = heard.get(id)
      return until === undefined ? [] : [until - at]
    })
    say(
      `${name}: commit to delivery at ${rounded(committed.size / took)}/s: p50 ${rounded(median(times))} ms, ` +
        `p99 ${rounded(quantile(times, 0.99))} ms; ${committed.size - times.length} missing`,
    )
  })
  await close(clients)
}

/** From the end of a session until its socket is closed. */
export async function measureRevocation(
  name: string,
  stage: Stage,
  audience: Audience,
  url: string,
): Promise<void> {
  const { tokens, channel, sessions } = audience
  const first = tokens.length - REVOKED
  const clients = await openClients(REVOKED, (index) => ({
    url: stage.url,
    channel,
    token: tokens[first + index] ?? '',
  }))
  const times: number[] = []
  await withDatabase(url, async (client) => {
    for (const [index, { ended }] of clients.entries()) {
      const id = sessions[first + index]
      await client.query('BEGIN')
      const { rows } = await client.query(
        'UPDATE sessions SET ended_at = now() WHERE id = $1 RETURNING user_id',
        [id],
      )
      await client.query(
        `INSERT INTO events (id, org_id, type, version, subject_type, subject_id, actor_kind, data)
         VALUES ($1, NULL, 'sessions.ended', 1, 'user', $2, 'system', '{}')`,
        [uuidv7(), rows[0]?.user_id],
      )
      await client.query('COMMIT')
      const at = performance.now()
      await Promise.race([ended, sleep(10_000)])
      times.push(performance.now() - at)
      await sleep(Math.random() * 100)
    }
    await client.query('UPDATE sessions SET ended_at = NULL')
  })
  say(`${name}: revocation: p50 ${rounded(median(times))} ms, p99 ${rounded(quantile(times, 0.99))} ms`)
  await close(clients)
}

/** Business writes with and without somebody who is told of them, in turn. */
export async function measureWrites(directory: string, url: string, audience: Audience): Promise<void> {
  const rates = { embedded: [] as number[], none: [] as number[] }
  for (let round = 0; round < ROUNDS; round++) {
    for (const engine of ['none', 'embedded'] as const) {
      const stage = await startStage(engine, directory, url)
      const clients =
        engine === 'none'
          ? []
          : await openClients(10, (index) => ({
              ...{ url: stage.url, channel: audience.channel },
              token: audience.tokens[index] ?? '',
            }))
      rates[engine].push(await writeRate(stage, audience))
      await close(clients)
      await stage.stop()
    }
  }
  const ratios = rates.embedded.map((rate, index) => rate / (rates.none[index] ?? 1))
  say(
    `writes: ${rounded(median(rates.embedded))}/s that are told to 10 listeners, ${rounded(median(rates.none))}/s ` +
      `without realtime: ${median(ratios).toFixed(2)} times (${ratios.map((ratio) => ratio.toFixed(2)).join(', ')})`,
  )
}

async function writeRate({ service }: Stage, { org, tokens }: Audience): Promise<number> {
  const end = performance.now() + ROUND_MS
  let count = 0
  const write = async (token: string) => {
    while (performance.now() < end) {
      const response = await fetch(`${service.origin}/api/v1/organizations/${org}/projects`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: uuidv7() }),
      })
      await response.text()
      if (response.status !== 201) throw new Error(`a write was answered ${response.status}`)
      count++
    }
  }
  await Promise.all(tokens.slice(0, WRITERS).map(write))
  return (count * 1000) / ROUND_MS
}
