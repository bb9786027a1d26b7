/**
 * Empties the database of development and applies every migration: `npm run db:reset [-- --yes]`. All data is lost, so
 * it refuses any other environment, and a database that is not the embedded one unless `--yes` is there. Stop the
 * service before: what it keeps in memory is not reset.
 * Exits with 1 when it fails or refuses, and with 2 for arguments that it does not know.
 */
import { parseArgs } from 'node:util'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { loadConfig } from '#config/load.ts'
import { LENIENT_ENVIRONMENTS } from '#config/schema/schema.ts'
import { withDatabase } from '#lib/embedded-postgres/with-database.ts'
import { resetDatabase } from '#lib/migrations/reset.ts'
import { MIGRATIONS } from '#plugins/infrastructure/migrations.ts'
import { confirmLoss, RefusedCommand } from './confirm.ts'
import { note, runCommand } from './run-command.ts'

const USAGE = 'Usage: npm run db:reset [-- --yes]\n'

await runCommand(parseArguments(process.argv.slice(2)), USAGE, reset)

function parseArguments(args: string[]): { yes: boolean } | undefined {
  try {
    return parseArgs({ args, options: { yes: { type: 'boolean', default: false } } }).values
  } catch {
    return undefined
  }
}

async function reset({ yes }: { yes: boolean }): Promise<void> {
  const loaded = loadConfig({ env: process.env }).config
  if (!LENIENT_ENVIRONMENTS.includes(loaded.environment)) {
    throw new RefusedCommand(
      `Only a database of development is reset, and this is the environment ${loaded.environment}.`,
    )
  }
  if (loaded.database.url !== undefined) {
    const { host, pathname } = new URL(loaded.database.url)
    await confirmLoss(`All data in the database ${host}${pathname} will be lost.`, yes)
  }
  const { config, stop } = await withDatabase(loaded, note)
  try {
    await resetDatabase({
      connection: await connectionOptions(config.database),
      directory: MIGRATIONS,
      log: note,
    })
    process.stdout.write('The database is empty, with every migration applied. npm run seed fills it.\n')
  } finally {
    await stop()
  }
}
