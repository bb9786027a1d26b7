/**
 * Measures the audit log: `npm run bench:audit -- [--entries 200000]`: entries that are sealed and verified in a second, and
 * what events and entries add to a business write (docs/performance.md). Exits with 1 when it fails, and with 2 for
 * arguments that it does not know.
 */
import { parseArgs } from 'node:util'
import { v7 as uuidv7 } from 'uuid'
import { buildApp } from '#app.ts'
import { loadConfig } from '#config/load.ts'
import { SYSTEM } from '#lib/context.ts'
import { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import type { Recordable } from '#services/audit/recorders.ts'
import { sealBatch } from '#services/audit/sealer.ts'
import { verify } from '#services/audit/verification/verify.ts'
import { emitting } from '#services/events/emit.ts'
import { projectCreated } from '#services/projects/events.ts'
import { wholeNumber } from './arguments.ts'
import { insertEntries } from './audit-entries.ts'
import { type Place, runBench } from './own-run.ts'
import { median } from './statistics.ts'

const USAGE = 'Usage: npm run bench:audit -- [--entries <n>]\n'
const CHAINS = 50
const BATCH = 2000
/** Business writes of each kind in a round, and rounds. */
const WRITES = 400
const ROUNDS = 7

const INSERT = `INSERT INTO projects (org_id, id, name, description) VALUES ($1, $2, $3, '')
                RETURNING id, name, description, archived, created_at, updated_at`

type App = Awaited<ReturnType<typeof buildApp>>

await runBench({ name: 'audit', usage: USAGE, read, work })

function read(args: string[]): number {
  const options = { entries: { type: 'string', default: '200000' } } as const
  return wholeNumber(parseArgs({ args, options }).values.entries, '--entries')
}

async function work(count: number, { postgres }: Place): Promise<void> {
  const url = await postgres.createDatabase('bench', 0, { policies: true })
  const env = { APP_ENVIRONMENT: 'test', APP_DATABASE__URL: url, APP_ROLE: 'web', APP_LOG__LEVEL: 'error' }
  const app = await buildApp(loadConfig({ env }).config)
  try {
    await app.ready()
    await measure(app, count)
  } finally {
    await app.close()
  }
}

async function measure(app: App, count: number): Promise<void> {
  await measureWrites(app)
  await fill(app, count)
  const sealed = await timed(async () => {
    let total = 0
    for (let hasMore = true; hasMore; ) {
      const batch = await sealBatch(app.ctx)
      total += batch.sealed
      hasMore = batch.hasMore
    }
    return total
  })
  say(`sealed    ${rate(sealed)}`)
  for (let turn = 0; turn < 3; turn++) {
    const verified = await timed(async () => {
      const { entries: read, problemCount } = await verify(app.ctx)
      if (problemCount > 0) throw new Error(`${problemCount} problems`)
      return read
    })
    say(`verified  ${rate(verified)}`)
  }
}

/** The same INSERT by itself, and with its event and entry, in turn. */
async function measureWrites(app: App): Promise<void> {
  const org = uuidv7()
  const system = new SystemDatabase(app.db)
  await system.query({
    name: 'org',
    text: "INSERT INTO organizations (id, name) VALUES ($1, 'Bench')",
    values: [org],
  })
  const ctx = { ...app.ctx, db: new OrgDatabase(app.db, org) }
  const round = async (isTold: boolean) => {
    const times: number[] = []
    for (let write = 0; write < WRITES; write++) {
      const id = uuidv7()
      const db = isTold ? emitting(ctx, projectCreated, { subject: id, data: {} }) : ctx.db
      const start = performance.now()
      await db.query({ name: 'insertProject', text: INSERT, values: [org, id, id] })
      times.push(performance.now() - start)
    }
    return median(times)
  }
  await round(false)
  await round(true)
  const ratios: number[] = []
  const added: number[] = []
  for (let turn = 0; turn < ROUNDS; turn++) {
    const [bare, told] = [await round(false), await round(true)]
    ratios.push(told / bare)
    added.push(told - bare)
  }
  say(
    `a write with event and entry takes ${median(ratios).toFixed(2)} times the bare one, ${median(added).toFixed(3)} ms more`,
  )
}

/** Entries as the service writes them, in bulk. */
async function fill(app: App, count: number): Promise<void> {
  const orgs = Array.from({ length: CHAINS }, () => uuidv7())
  const client = { ip: '192.0.2.7', userAgent: 'bench/1.0', actor: SYSTEM, requestId: null }
  for (let done = 0; done < count; done += BATCH) {
    const batch = Array.from(
      { length: Math.min(BATCH, count - done) },
      (_, index): Recordable => ({
        id: uuidv7(),
        org: orgs[index % CHAINS] ?? null,
        type: 'projects.updated',
        subject: { type: 'project', id: uuidv7() },
        actor: { kind: 'user', id: uuidv7() },
        requestId: uuidv7(),
        client,
        data: { changed: ['name', 'description'] },
        mark: (bytes) => app.ctx.marker.mark(bytes),
      }),
    )
    await insertEntries(app.db, batch)
  }
  await app.db.query({ name: 'vacuum', text: 'ANALYZE', prepare: false })
}

async function timed(work: () => Promise<number>): Promise<{ count: number; seconds: number }> {
  const start = performance.now()
  const count = await work()
  return { count, seconds: (performance.now() - start) / 1000 }
}

function rate({ count, seconds }: { count: number; seconds: number }): string {
  return `${count} entries in ${seconds.toFixed(2)} s: ${Math.round(count / seconds)}/s`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
