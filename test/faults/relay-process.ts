import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { SYSTEM } from '#lib/context.ts'
import { PoolDatabase } from '#lib/database/pool-database.ts'
import { Session } from '#lib/database/session.ts'
import { NatsStream } from '#lib/nats/stream.ts'
import { FanOut } from '#services/broker/fan-out.ts'
import { NatsBroker } from '#services/broker/nats-broker.ts'
import { Relay } from '#services/events/relay.ts'
import type { Sink } from '#services/events/sink.ts'
import { connectionTo } from '#test/support/connection-to.ts'

/*
 * A relay by itself, to be killed: `node relay-process.ts <database> <target> <batch>`. The target is a file, which gets a
 * line for each event, or a NATS server. It takes a batch for each line that it reads, and prints one at each step.
 */

const ignore = () => undefined

/** Publishes to a server, as the service does. */
function natsTake(url: string, db: PoolDatabase): Sink['take'] {
  const settings = { urls: [url], name: 'killed', timeoutMs: 3000, maxAgeMs: 3_600_000, replicas: 1 }
  const stream = new NatsStream({ ...settings, created: ignore })
  const jobs = { enqueue: async () => undefined, enqueueAll: async () => undefined }
  const log = { info: ignore, warn: ignore, error: ignore }
  const fanOut = new FanOut([], jobs)
  const broker = new NatsBroker({ stream, fanOut, db, log, source: 'https://service.example' })
  return (ctx, events) => broker.publish(ctx.db, events)
}

/** Writes one line at a time, so that it can be killed in the middle of a batch. */
function fileTake(path: string): Sink['take'] {
  return async (_ctx, events) => {
    for (const { id } of events) appendFileSync(path, `${id}\n`)
    return events.map(({ id }) => id)
  }
}

async function main(database: string, target: string, batch: number): Promise<void> {
  const Client = class extends Session {
    constructor() {
      super(connectionTo(database), { pipeline: true })
    }
  }
  const pool = new pg.Pool({ Client, max: 2 })
  const db = new PoolDatabase(pool, { queried: ignore, waited: ignore, repeated: ignore, cancelled: ignore })
  const log = { info: ignore, warn: ignore, error: ignore }
  const client = { ip: '127.0.0.1', userAgent: null, actor: SYSTEM, requestId: null }
  const marker = { mark: (bytes: Buffer) => bytes }
  const take = target.startsWith('nats://') ? natsTake(target, db) : fileTake(target)
  const step = (name: string) => process.stdout.write(`${name}\n`)
  const sink: Sink = {
    ...{ name: 'killed', column: 'broker_at' as const, batch, isUsed: () => true },
    take: async (ctx, events) => {
      step('claimed')
      const ids = await take(ctx, events)
      step('taken')
      return ids
    },
  }
  const relay = new Relay(sink, { ctx: { db, log, now: () => new Date(), client, marker }, log })
  for await (const _ of createInterface({ input: process.stdin })) {
    if ((await relay.pass()) === 0) break
    step('marked')
  }
  // Connections would keep it.
  process.stdout.write('done\n', () => process.exit())
}

const [, script = '', database = '', target = '', batch = ''] = process.argv
if (import.meta.url === pathToFileURL(script).href) await main(database, target, Number(batch))
