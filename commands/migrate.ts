/**
 * Moves the database's schema: `npm run migrate -- up | down [n] [--yes] | status`. `down` undoes one migration
 * unless told more; outside development and tests it asks first, and `--yes` answers for scripts. Without a database URL, in development, it uses the embedded PostgreSQL, together with a
 * service that may be running. Exits with 1 when it fails, and with 2 for arguments that it does not know.
 */
import { join } from 'node:path'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { loadConfig } from '#config/load.ts'
import { LENIENT_ENVIRONMENTS } from '#config/schema/schema.ts'
import { withDatabase } from '#lib/embedded-postgres/with-database.ts'
import { type MigrationState, migrateDown, migrateUp, migrationStatus } from '#lib/migrations/migrations.ts'
import type { MigrationOptions } from '#lib/migrations/session.ts'
import { confirmLoss } from './confirm.ts'
import { note, offerHelp, runCommand } from './run-command.ts'

const MIGRATIONS = join(import.meta.dirname, '../migrations')
const USAGE = 'Usage: npm run migrate -- up | down [n] [--yes] | status\n'

offerHelp(USAGE)

const TITLES = { version: 'VERSION', name: 'NAME', state: 'STATE', runAt: 'RUN AT' }

interface Command {
  readonly run: (options: MigrationOptions) => Promise<void>
  /** How many migrations it undoes, and whether that is confirmed. */
  readonly undoes?: { readonly steps: number; readonly yes: boolean }
}

await runCommand(parseCommand(process.argv.slice(2)), USAGE, migrate)

function parseCommand(args: string[]): Command | undefined {
  const yes = args.includes('--yes')
  const [name, count, ...rest] = args.filter((arg) => arg !== '--yes')
  if (rest.length > 0) return undefined
  if (name === 'down' && /^[1-9]\d{0,5}$/.test(count ?? '1')) {
    const steps = Number(count ?? 1)
    return { run: (options) => down(options, steps), undoes: { steps, yes } }
  }
  if (count !== undefined || yes) return undefined
  if (name === 'up') return { run: up }
  if (name === 'status') return { run: status }
  return undefined
}

async function migrate({ run, undoes }: Command): Promise<void> {
  const loaded = loadConfig({ env: process.env }).config
  const { environment } = loaded
  if (undoes && !LENIENT_ENVIRONMENTS.includes(environment)) {
    const which =
      undoes.steps === 1 ? 'the newest migration' : `up to ${undoes.steps} migrations, newest first,`
    await confirmLoss(
      `In the environment ${environment} this undoes ${which} and deletes the data of the tables and columns that went with it.`,
      undoes.yes,
    )
  }
  const { config, stop } = await withDatabase(loaded, note)
  try {
    const connection = await connectionOptions(config.database)
    await run({ connection, directory: MIGRATIONS, log: print })
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
