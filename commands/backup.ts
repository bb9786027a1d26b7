/**
 * Backs up the database: `npm run backup -- --to <directory | s3://bucket/prefix> [--keep <n>] [--textfile
 * <directory>]`. `--keep` removes all but the newest n of this database; `--textfile` writes
 * groundwork_backup.prom for node_exporter. The object store is told by AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION and, unless it is Amazon's, AWS_ENDPOINT_URL.
 * Exits with 1 when it fails, and with 2 for arguments that it does not know.
 */
import { parseArgs } from 'node:util'
import { connectionOptions } from '../config/database-connection.ts'
import { loadConfig } from '../config/load.ts'
import packageJson from '../package.json' with { type: 'json' }
import { backUp } from '../services/backup/backup.ts'
import { openStore } from '../services/backup/open-store.ts'
import { s3Settings } from '../services/backup/s3-store.ts'
import { writeTextfile } from '../services/backup/textfile.ts'
import { withDatabase } from '../services/embedded-postgres/with-database.ts'
import { useProxies } from '../services/network/proxies.ts'
import { note, runCommand } from './run-command.ts'

const USAGE =
  'Usage: npm run backup -- --to <directory | s3://bucket/prefix> [--keep <n>] [--textfile <directory>]\n'

interface Arguments {
  to: string
  keep: number | undefined
  textfile: string | undefined
}

await runCommand(parseArguments(process.argv.slice(2)), USAGE, backup)

function parseArguments(args: string[]): Arguments | undefined {
  const options = {
    to: { type: 'string' },
    keep: { type: 'string' },
    textfile: { type: 'string' },
  } as const
  try {
    const { to, keep, textfile } = parseArgs({ args, options }).values
    if (!to || textfile === '' || !/^[1-9]\d{0,5}$/.test(keep ?? '1')) return undefined
    return { to, keep: keep === undefined ? undefined : Number(keep), textfile }
  } catch {
    return undefined
  }
}

async function backup({ to, keep, textfile }: Arguments): Promise<void> {
  const loaded = loadConfig({ env: process.env })
  useProxies(process.env)
  const store = openStore(to, s3Settings(process.env))
  const { config, stop } = await withDatabase(loaded.config, note)
  try {
    const manifest = await backUp({
      connection: await connectionOptions(config.database),
      tls: config.database,
      store,
      serviceVersion: packageJson.version,
      ...(keep === undefined ? {} : { keep }),
      log: note,
    })
    if (textfile !== undefined) await writeTextfile(textfile, manifest)
    const { dump, tables } = manifest
    const rows = tables.reduce((sum, table) => sum + table.rows, 0)
    process.stdout.write(
      `${dump.file}: ${dump.size} bytes, ${rows} rows, as of ${manifest.created_at}, sha256 ${dump.sha256}\n`,
    )
  } finally {
    await stop()
  }
}
