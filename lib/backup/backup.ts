import type pg from 'pg'
import { Session } from '#lib/database/session.ts'
import { selectApplied } from '#lib/migrations/applied.ts'
import { BackupError } from './backup-error.ts'
import type { Manifest } from './manifest.ts'
import { Measure } from './measure.ts'
import { findBackups, nameBackup } from './names.ts'
import { type DatabaseAccess, refusePooler, requireTool, run, withToolAccess } from './postgres-tools.ts'
import { countRows, selectTables } from './queries.ts'
import type { BackupStore } from './store.ts'

export interface BackupOptions extends DatabaseAccess {
  readonly store: BackupStore
  readonly serviceVersion: string
  /** How many backups of this database stay, this one included; without it all do. */
  readonly keep?: number
  readonly log: (message: string) => void
}

/**
 * Dumps the database as it is at one moment, and describes the dump. While it runs the service goes on; only
 * changes of the schema wait for its end.
 *
 * @returns the manifest of what was written.
 * @throws BackupError when no backup was made; then none is there either, and older ones are all kept.
 */
export async function backUp(options: BackupOptions): Promise<Manifest> {
  const client = new Session({
    ...options.connection,
    // Counting takes its time.
    query_timeout: 0,
    statement_timeout: 0,
    lock_timeout: 0,
    idle_in_transaction_session_timeout: 0,
    application_name: 'groundwork-backup',
  })
  // A lost connection fails the query that is being run; without a listener it would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    refusePooler(client)
    const manifest = await dump(client, options)
    await removeOld(options, manifest.database.name)
    return manifest
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** The snapshot is ours, and pg_dump's: what is counted is what is dumped. */
async function dump(client: pg.Client, options: BackupOptions): Promise<Manifest> {
  const { store, log } = options
  const about = await begin(client)
  await requireTool('pg_dump', Math.floor(about.version_num / 10_000))
  const name = nameBackup(about.name, about.at)
  log(`Backing up ${about.name} to ${store.place}`)
  const measure = new Measure()
  await withToolAccess(options, async ({ env }) => {
    const args = [
      '--format=custom',
      '--no-password',
      // Without it pg_dump refuses tables whose policies bind it; with our scope they leave nothing out.
      '--enable-row-security',
      '--lock-wait-timeout=60s',
      // What PostgreSQL may lose in a crash is not worth keeping: counts of rate limits, and who is alive.
      '--no-unlogged-table-data',
      `--snapshot=${about.snapshot}`,
    ]
    await store.write(name.dump, measure.through(run('pg_dump', args, env)))
  })
  const tables = []
  for (const table of await selectTables(client)) {
    tables.push({ ...table, rows: await countRows(client, table) })
  }
  const applied = await selectAppliedIn(client)
  const manifest: Manifest = {
    format: 1,
    created_at: about.at.toISOString(),
    service_version: options.serviceVersion,
    migration_version: applied,
    postgres_version: about.version,
    database: { name: about.name, size: Number(about.size) },
    dump: { file: name.dump, ...measure.result() },
    tables,
  }
  await store.write(name.manifest, inOnePiece(`${JSON.stringify(manifest, null, 2)}\n`))
  return manifest
}

interface About {
  at: Date
  name: string
  /** bigint, and so text. */
  size: string
  snapshot: string
  version: string
  version_num: number
}

async function begin(client: pg.Client): Promise<About> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  await client.query("SELECT set_config('app.scope', 'system', true)")
  const { rows } = await client.query<About>(`
    SELECT clock_timestamp() AS at, current_database() AS name, pg_database_size(current_database()) AS size,
           pg_export_snapshot() AS snapshot, current_setting('server_version') AS version,
           current_setting('server_version_num')::int AS version_num`)
  const [about] = rows
  /* c8 ignore next -- A SELECT without FROM has a row. */
  if (about === undefined) throw new BackupError('PostgreSQL says nothing of itself.')
  return about
}

/** An error would end the transaction, so the table is asked for first. */
async function selectAppliedIn(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ there: boolean }>(
    "SELECT to_regclass('schemaversion') IS NOT NULL AS there",
  )
  if (rows[0]?.there !== true) return 0
  return (await selectApplied(client)).at(-1)?.version ?? 0
}

/** Oldest first, manifest first, so that a half removed backup does not count as one; also old unfinished ones. */
async function removeOld({ store, keep, log }: BackupOptions, database: string): Promise<void> {
  if (keep === undefined) return
  const found = findBackups(await store.list(), database)
  const oldestKept = found.filter(({ complete }) => complete).at(-keep)
  if (oldestKept === undefined) return
  for (const old of found.slice(
    0,
    found.findIndex(({ stem }) => stem === oldestKept.stem),
  )) {
    await store.remove(old.manifest)
    await store.remove(old.dump)
    log(`Removed ${old.stem}`)
  }
}

async function* inOnePiece(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
