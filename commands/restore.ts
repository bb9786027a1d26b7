/**
 * Restores a backup into the configured database and migrates it forward: `npm run restore -- --from <directory |
 * s3://bucket/prefix> [--name <backup>] [--force]`. It takes the newest unless told which. It refuses a database
 * that is not empty; `--force` puts the backup in the place of what is there. It is all done, or nothing is. Then contents of
 * files are brought back that the configured store lacks and the backup has; without any, it says how many are missing.
 * The object store is told as to `npm run backup`.
 * Exits with 1 when it fails, and with 2 for arguments that it does not know.
 */
import { parseArgs } from 'node:util'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { loadConfig } from '#config/load.ts'
import { openContents, openStore } from '#lib/backup/open-store.ts'
import { restore } from '#lib/backup/restore.ts'
import { s3Settings } from '#lib/backup/s3-store.ts'
import { withSystemSession } from '#lib/database/session-database.ts'
import { withDatabase } from '#lib/embedded-postgres/with-database.ts'
import { useProxies } from '#lib/network/proxies.ts'
import { openObjectStore } from '#lib/object-store/open-object-store.ts'
import { MIGRATIONS } from '#plugins/infrastructure/migrations.ts'
import { endUnfinished } from '#services/uploads/operators.ts'
import { restoreContents } from './restore-contents.ts'
import { note, offerHelp, runCommand } from './run-command.ts'

const USAGE =
  'Usage: npm run restore -- --from <directory | s3://bucket/prefix> [--name <backup>] [--force]\n'

offerHelp(USAGE)

interface Arguments {
  from: string
  name: string | undefined
  force: boolean
}

await runCommand(parseArguments(process.argv.slice(2)), USAGE, restoreFrom)

function parseArguments(args: string[]): Arguments | undefined {
  const options = {
    from: { type: 'string' },
    name: { type: 'string' },
    force: { type: 'boolean', default: false },
  } as const
  try {
    const { from, name, force } = parseArgs({ args, options }).values
    return from ? { from, name: name?.replace(/\.(dump|json)$/, ''), force } : undefined
  } catch {
    return undefined
  }
}

async function restoreFrom({ from, name, force }: Arguments): Promise<void> {
  const loaded = loadConfig({ env: process.env })
  useProxies(process.env)
  const store = openStore(from, s3Settings(process.env))
  const { config, stop } = await withDatabase(loaded.config, note)
  try {
    const connection = await connectionOptions(config.database)
    const { dump, migration_version, tables } = await restore({
      connection,
      tls: config.database,
      store,
      ...(name === undefined ? {} : { name }),
      force,
      migrations: MIGRATIONS,
      log: note,
    })
    const rows = tables.reduce((sum, table) => sum + table.rows, 0)
    process.stdout.write(`Restored ${dump.file}: ${rows} rows, of migration ${migration_version}\n`)
    const to = await openObjectStore(config.files)
    await withSystemSession(connection, async (db) => {
      const ended = await endUnfinished(db)
      if (ended > 0) note(`${ended} uploads that were under way are ended.`)
      if (to === undefined) return note('files.store is `none` here, so contents of files were left alone.')
      const places = { from: openContents(from, s3Settings(process.env)), to }
      process.stdout.write(await restoreContents(db, places))
    })
  } finally {
    await stop()
  }
}
