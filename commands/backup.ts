/**
 * Backs up the database: `npm run backup -- --to <directory | s3://bucket/prefix> [--keep <n>] [--every
 * <duration>] [--textfile <directory>] [--files]`. `--files` copies the contents of files too, those that are not there from
 * earlier backups. `--keep` removes all but the newest n of this database; `--every` (such as
 * `24h`) goes on and makes one each time, until SIGTERM; `--textfile` writes groundwork_backup.prom for node_exporter. The object store is told by AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION and, unless it is Amazon's, AWS_ENDPOINT_URL.
 * Exits with 1 when it fails, and with 2 for arguments that it does not know.
 */
import { parseArgs } from 'node:util'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { parseDuration } from '#config/engine/units.ts'
import { loadConfig } from '#config/load.ts'
import type { Config } from '#config/schema/schema.ts'
import { explainFailure } from '#lib/advice/explain-failure.ts'
import { backUp } from '#lib/backup/backup.ts'
import type { Manifest } from '#lib/backup/manifest.ts'
import { openContents, openStore } from '#lib/backup/open-store.ts'
import { askLastBackupTime, recordBackup } from '#lib/backup/record.ts'
import { s3Settings } from '#lib/backup/s3-store.ts'
import { repeat } from '#lib/backup/schedule.ts'
import { writeTextfile } from '#lib/backup/textfile.ts'
import type { ConnectionOptions } from '#lib/database/session.ts'
import { withDatabase } from '#lib/embedded-postgres/with-database.ts'
import { useProxies } from '#lib/network/proxies.ts'
import { openObjectStore } from '#lib/object-store/open-object-store.ts'
import packageJson from '#package.json' with { type: 'json' }
import { inventory } from '#services/storage/inventory.ts'
import { note, offerHelp, runCommand } from './run-command.ts'

const USAGE =
  'Usage: npm run backup -- --to <directory | s3://bucket/prefix> [--keep <n>] [--every <duration>] [--textfile <directory>]\n                           [--files]\n'

const NO_STORE =
  'files.store is `none` here, so no contents of files could be copied: set APP_FILES__STORE as for the service.'

/** Milliseconds between two backups: a minute at least, and no more than a timer can wait. */
const MIN_INTERVAL_MS = 60_000
const MAX_INTERVAL_MS = 7 * 86_400_000

offerHelp(USAGE)

interface Arguments {
  to: string
  keep: number | undefined
  /** Milliseconds; undefined for one backup. */
  every: number | undefined
  textfile: string | undefined
  /** Whether contents of files are copied. */
  files: boolean
}

await runCommand(parseArguments(process.argv.slice(2)), USAGE, backup)

function parseArguments(args: string[]): Arguments | undefined {
  const options = {
    to: { type: 'string' },
    keep: { type: 'string' },
    every: { type: 'string' },
    textfile: { type: 'string' },
    files: { type: 'boolean', default: false },
  } as const
  try {
    const { to, keep, every, textfile, files } = parseArgs({ args, options }).values
    const interval = every === undefined ? undefined : parseDuration(every)
    if (every !== undefined && !(interval && interval >= MIN_INTERVAL_MS && interval <= MAX_INTERVAL_MS))
      return undefined
    if (!to || textfile === '' || !/^[1-9]\d{0,5}$/.test(keep ?? '1')) return undefined
    return { to, keep: keep === undefined ? undefined : Number(keep), every: interval, textfile, files }
  } catch {
    return undefined
  }
}

async function backup(task: Arguments): Promise<void> {
  const { config } = loadConfig({ env: process.env })
  useProxies(process.env)
  const { every } = task
  if (every === undefined) return backUpOnce(config, task)
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())
  const last = await lastBackup(config)
  await repeat(() => backUpOnce(config, task), {
    interval: every,
    last: last === undefined ? undefined : last * 1000,
    signal: stop.signal,
    failed: (error) => note(explainFailure(error)),
  })
}

/** So that a restart makes no backup out of turn, which would push out an older one; a first look that fails makes one. */
async function lastBackup(loaded: Config): Promise<number | undefined> {
  const { config, stop } = await withDatabase(loaded, note)
  try {
    return await askLastBackupTime(await connectionOptions(config.database)).catch(() => undefined)
  } finally {
    await stop()
  }
}

async function backUpOnce(loaded: Config, { to, keep, textfile, files }: Arguments): Promise<void> {
  const s3 = s3Settings(process.env)
  const store = openStore(to, s3)
  const ownFiles = files ? await openObjectStore(loaded.files) : undefined
  const { config, stop } = await withDatabase(loaded, note)
  try {
    const connection = await connectionOptions(config.database)
    const manifest = await backUp({
      connection,
      tls: config.database,
      store,
      contents: openContents(to, s3),
      inventory,
      ...(ownFiles === undefined ? {} : { files: ownFiles }),
      serviceVersion: packageJson.version,
      ...(keep === undefined ? {} : { keep }),
      log: note,
    })
    const isWhole = !files || manifest.files === undefined || manifest.files.copied === manifest.files.objects
    if (!isWhole) process.exitCode = 1
    if (!isWhole && ownFiles === undefined) note(NO_STORE)
    // A store that is away must not look like a success for weeks; single contents are told by the doctor, too.
    if (isWhole || manifest.files?.copied !== 0) await recordSuccess(connection, manifest, textfile)
    process.stdout.write(`${describe(manifest)}\n`)
  } finally {
    await stop()
  }
}

async function recordSuccess(
  connection: ConnectionOptions,
  manifest: Manifest,
  textfile: string | undefined,
): Promise<void> {
  if (textfile !== undefined) await writeTextfile(textfile, manifest)
  await recordBackup(connection, manifest).catch((error: unknown) => {
    note(`The backup is made, but the database has no record of it for the alert. ${explainFailure(error)}`)
  })
}

function describe({ dump, tables, files, created_at }: Manifest): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const line = `${dump.file}: ${dump.size} bytes, ${rows} rows, as of ${created_at}, sha256 ${dump.sha256}`
  if (files === undefined || files.objects === 0) return line
  const { objects, bytes, copied } = files
  return `${line}\n${files.inventory.file}: ${copied} of ${objects} contents of files are here (${bytes} bytes in all)`
}
