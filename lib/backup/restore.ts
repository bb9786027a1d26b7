import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { onlyRow } from '#lib/database/only-row.ts'
import { dropSchema, selectUsedSchemas } from '#lib/database/schemas.ts'
import { Session } from '#lib/database/session.ts'
import { listMigrations } from '#lib/migrations/files.ts'
import { migrateUp } from '#lib/migrations/migrations.ts'
import { BackupError } from './backup-error.ts'
import { type Manifest, parseManifest } from './manifest.ts'
import { Measure } from './measure.ts'
import { type BackupName, findBackups } from './names.ts'
import {
  type DatabaseAccess,
  refusePooler,
  requireTool,
  run,
  runSql,
  type ToolAccess,
  withToolAccess,
} from './postgres-tools.ts'
import { assertRows } from './queries.ts'
import { withoutUnknownSettings } from './settings-of-versions.ts'
import type { BackupStore } from './store.ts'

export interface RestoreOptions extends DatabaseAccess {
  readonly store: BackupStore
  /** Which backup, such as `groundwork-20261124T154900Z`; without it the newest that is whole. */
  readonly name?: string
  /** Put it in the place of what the database holds. */
  readonly force?: boolean
  /** Holds the migration files. */
  readonly migrations: string
  readonly log: (message: string) => void
}

/**
 * Restores a backup into the database, in one transaction, and then migrates forward: it is all there, with
 * as many rows as were dumped, or nothing has changed.
 *
 * @returns the manifest of what was restored.
 * @throws BackupError when it cannot be restored, or the database holds something and `force` is not set.
 */
export async function restore(options: RestoreOptions): Promise<Manifest> {
  const { store, connection, migrations, log } = options
  const chosen = await choose(options)
  const manifest = parseManifest(await readText(store, chosen.manifest), chosen.manifest)
  await checkVersion(manifest, migrations)
  const target = await inspect(options)
  await requireTool('pg_restore', Number.parseInt(manifest.postgres_version, 10))
  await requireTool('psql', 1)
  await withToolAccess(options, async ({ env, directory }) => {
    const file = join(directory, 'dump')
    log(`Verifying ${chosen.stem} from ${store.place}`)
    await fetchVerified(store, manifest, file)
    log(`Restoring ${chosen.stem}, made at ${manifest.created_at}`)
    await runSql(env, script(manifest, target, file, env))
  })
  await migrateUp({ connection, directory: migrations, log })
  return manifest
}

async function choose({ store, name }: RestoreOptions): Promise<BackupName> {
  const whole = findBackups(await store.list()).filter(({ complete }) => complete)
  const chosen = name === undefined ? whole.at(-1) : whole.find(({ stem }) => stem === name)
  if (chosen === undefined) {
    const what = name === undefined ? 'no backup' : `no backup ${name}`
    throw new BackupError(`There is ${what} in ${store.place} (one without its manifest is not whole).`)
  }
  const owners = new Set(whole.map(({ stem }) => stem.slice(0, stem.lastIndexOf('-'))))
  if (name === undefined && owners.size > 1) {
    throw new BackupError(
      `${store.place} holds backups of several databases (${[...owners].join(', ')}): choose one by --name.`,
    )
  }
  return chosen
}

/** Bytes of a manifest, which has some 100 for each table. */
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024

async function readText(store: BackupStore, name: string): Promise<string> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of await store.read(name)) {
    size += piece.length
    if (size > MAX_MANIFEST_BYTES)
      throw new BackupError(`${name} is too large for a manifest. Take another backup.`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

async function checkVersion(
  { migration_version, service_version }: Manifest,
  directory: string,
): Promise<void> {
  const newest = (await listMigrations(directory)).length
  if (migration_version <= newest) return
  throw new BackupError(
    `The backup is of version ${service_version} of the service, with migration ${migration_version}, and ` +
      `this one knows ${newest}. Restore it with that version or a newer one.`,
  )
}

/** Where a backup is restored into. */
interface Target {
  /** The server's major version. */
  readonly version: number
  /** The schemas that have to make room. */
  readonly used: readonly string[]
}

async function inspect({ connection, force }: RestoreOptions): Promise<Target> {
  const client = new Session({ ...connection, application_name: 'groundwork-restore' })
  client.on('error', () => undefined)
  try {
    await client.connect()
    refusePooler(client)
    const used = await selectUsedSchemas(client)
    if (used.length > 0 && !force) {
      throw new BackupError(
        `The database ${client.database} is not empty (schemas: ${used.join(', ')}). Restore into a new one ` +
          'beside it; or, if what it holds may be lost, stop every instance and add --force.',
      )
    }
    const { rows } = await client.query<{ version: number }>(
      "SELECT current_setting('server_version_num')::int / 10000 AS version",
    )
    return { version: onlyRow(rows).version, used }
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function fetchVerified(store: BackupStore, { dump }: Manifest, file: string): Promise<void> {
  // What is longer than its manifest says is damaged, and need not fill the disk.
  const measure = new Measure(dump.size)
  const source = measure.through(await store.read(dump.file))
  await pipeline(source, createWriteStream(file, { mode: 0o600 }))
  const { size, sha256 } = measure.result()
  if (size === dump.size && sha256 === dump.sha256) return
  const found = size > dump.size ? 'more bytes' : `${size} bytes and SHA-256 ${sha256}`
  throw new BackupError(
    `${dump.file} is damaged: it has ${found}, and its manifest says ${dump.size} bytes and ${dump.sha256}. ` +
      'Nothing was changed; take another backup.',
  )
}

/**
 * The script that psql runs. Only its last line commits, and it comes after pg_restore has succeeded: if anything fails
 * or is killed before, the database is unchanged.
 */
async function* script(
  manifest: Manifest,
  { version, used }: Target,
  file: string,
  env: ToolAccess['env'],
): AsyncGenerator<Uint8Array | string> {
  yield 'BEGIN;\n'
  for (const schema of used) yield dropSchema(schema)
  const restored = run(
    'pg_restore',
    ['--file=-', '--no-owner', '--no-privileges', '--enable-row-security', file],
    env,
  )
  yield* withoutUnknownSettings(restored, version)
  for (const table of manifest.tables) yield assertRows(table)
  yield 'COMMIT;\n'
}
