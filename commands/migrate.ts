/**
 * Moves the database's schema: `npm run migrate -- up | down [n] | status`. `down` takes back one migration
 * unless told more. Without a database URL, in development, it uses the embedded PostgreSQL, together with a
 * service that may be running. Exits with 1 when it fails, and with 2 for arguments that it does not know.
 */
import { join } from 'node:path'
import { connectionOptions } from '../config/database-connection.ts'
import { loadConfig } from '../config/load.ts'
import { withDatabase } from '../services/embedded-postgres/with-database.ts'
import {
  type MigrationState,
  migrateDown,
  migrateUp,
  migrationStatus,
} from '../services/migrations/migrations.ts'
import type { MigrationOptions } from '../services/migrations/session.ts'
import { note, runCommand } from './run-command.ts'

const MIGRATIONS = join(import.meta.dirname, '../migrations')
const USAGE = 'Usage: npm run migrate -- up | down [n] | status\n'

const TITLES = { version: 'VERSION', name: 'NAME', state: 'STATE', runAt: 'RUN AT' }

type Command = (options: MigrationOptions) => Promise<void>

await runCommand(parseCommand(process.argv.slice(2)), USAGE, migrate)

function parseCommand([name, count = '1', ...rest]: string[]): Command | undefined {
  if (rest.length > 0) return undefined
  if (name === 'down' && /^[1-9]\d{0,5}$/.test(count)) return (options) => down(options, Number(count))
  if (count !== '1') return undefined
  if (name === 'up') return up
  if (name === 'status') return status
  return undefined
}

async function migrate(command: Command): Promise<void> {
  const { config, stop } = await withDatabase(loadConfig({ env: process.env }).config, note)
  try {
    const connection = await connectionOptions(config.database)
    await command({ connection, directory: MIGRATIONS, log: print })
  } finally {
    await stop()
  }
}

async function up(options: MigrationOptions): Promise<void> {
  const files = await migrateUp(options)
  if (files.length === 0) print('Nothing to apply')
}

async function down(options: MigrationOptions, steps: number): Promise<void> {
  const files = await migrateDown({ ...options, steps })
  if (files.length === 0) print('Nothing to undo')
}

async function status(options: MigrationOptions): Promise<void> {
  const table = [TITLES, ...(await migrationStatus(options)).map(row)]
  const names = Math.max(...table.map(({ name }) => name.length))
  const states = Math.max(...table.map(({ state }) => state.length))
  for (const { version, name, state, runAt } of table) {
    print(`${version.padEnd(7)}  ${name.padEnd(names)}  ${state.padEnd(states)}  ${runAt}`.trimEnd())
  }
}

function row({ version, name, state, runAt }: MigrationState): typeof TITLES {
  return { version: String(version).padStart(3, '0'), name, state, runAt: runAt?.toISOString() ?? '' }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
