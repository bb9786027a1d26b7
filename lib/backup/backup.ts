import type pg from 'pg'
import type { Database } from '#lib/database/database.ts'
import { Session } from '#lib/database/session.ts'
import { asDatabase } from '#lib/database/session-database.ts'
import { selectApplied } from '#lib/migrations/applied.ts'
import type { ObjectStore } from '#lib/object-store/object-store.ts'
import { BackupError } from './backup-error.ts'
import { bringAll } from './contents.ts'
import { holdRemovals } from './hold-removals.ts'
import { readInventory, type StoredContent, writeInventory } from './inventory.ts'
import type { Manifest } from './manifest.ts'
import { Measure } from './measure.ts'
import { findBackups, nameBackup } from './names.ts'
import { type DatabaseAccess, refusePooler, requireTool, run, withToolAccess } from './postgres-tools.ts'
import { removeContents } from './prune.ts'
import { countRows, selectTables } from './queries.ts'
import type { BackupStore } from './store.ts'

export interface BackupOptions extends DatabaseAccess {
  readonly store: BackupStore
  /** Where the place of backups has contents of files. */
  readonly contents: ObjectStore
  /** Yields the contents that rows of the database name, sorted by key. */
  inventory(db: Pick<Database, 'query'>): AsyncIterable<StoredContent>
  /** The service's own store of files, if its contents are to be copied too. */
  readonly files?: ObjectStore
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
    if (options.files !== undefined) await holdRemovals(client)
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
  const files = await listContents(client, name.inventory, options)
  // What follows needs no snapshot, and may take long.
  await client.query('COMMIT')
  if (files !== undefined) files.copied = await copyContents(files, options)
  const manifest: Manifest = {
    format: 1,
    created_at: about.at.toISOString(),
    service_version: options.serviceVersion,
    migration_version: applied,
    postgres_version: about.version,
    database: { name: about.name, size: Number(about.size) },
    dump: { file: name.dump, ...measure.result() },
    ...(files === undefined ? {} : { files }),
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

async function selectAppliedIn(client: pg.Client): Promise<number> {
  if (!(await isThere(client, 'schemaversion'))) return 0
  return (await selectApplied(client)).at(-1)?.version ?? 0
}

/** An error would end the transaction, so a table is asked for first that may not be there. */
async function isThere(client: pg.Client, table: string): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    table,
  ])
  return rows[0]?.there === true
}

type Files = NonNullable<Manifest['files']>

/** Writes down which contents the dumped rows name. A database from before there were any has none. */
async function listContents(
  client: pg.Client,
  file: string,
  { store, inventory }: BackupOptions,
): Promise<Files | undefined> {
  if (!(await isThere(client, 'object_variants'))) return undefined
  const measure = new Measure()
  const counts = { objects: 0, bytes: 0 }
  async function* counted() {
    for await (const content of inventory(asDatabase(client))) {
      counts.objects++
      counts.bytes += content.size
      yield content
    }
  }
  await store.write(file, measure.through(writeInventory(counted())))
  return { inventory: { file, ...measure.result() }, ...counts, copied: 0 }
}

/** Faults that are told one by one. */
const TOLD = 20

/** Copies what is not there from earlier backups, and returns how many are there. The dump is of use without them, too. */
async function copyContents(
  { inventory: { file } }: Files,
  { store, contents, files, log }: BackupOptions,
): Promise<number> {
  if (files === undefined) return 0
  log(`Copying contents of files to ${store.place}`)
  try {
    const expected = readInventory(await store.read(file), file)
    const { objects, copied, faults } = await bringAll(expected, { from: files, to: contents })
    log(`${objects} contents are there, ${copied} of them new`)
    for (const { key, what } of faults.slice(0, TOLD)) log(`Not copied: ${key}: ${what}`)
    if (faults.length > TOLD) log(`and ${faults.length - TOLD} more (npm run files -- verify lists them)`)
    return objects
  } catch (error) {
    log(`The contents could not all be copied: ${error instanceof Error ? error.message : String(error)}`)
    return 0
  }
}

/** Oldest first, manifest first, so that a half removed backup does not count as one; also old unfinished ones. */
async function removeOld({ store, contents, keep, log }: BackupOptions, database: string): Promise<void> {
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
    if (old.hasInventory) await removeContents(old, { store, contents })
    log(`Removed ${old.stem}`)
  }
}

async function* inOnePiece(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
