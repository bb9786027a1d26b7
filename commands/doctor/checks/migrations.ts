import { connectionOptions } from '#config/engine/database-connection.ts'
import { databaseError } from '#lib/database/errors.ts'
import { MigrationError } from '#lib/migrations/migration-error.ts'
import { type MigrationState, migrationStatus } from '#lib/migrations/migrations.ts'
import { MIGRATIONS } from '#plugins/infrastructure/migrations.ts'
import { type Check, type Finding, off, problem, unchecked, warning } from '../check.ts'

const check: Check = {
  name: 'migrations',
  reads: ['database'],
  async run({ config: { database } }) {
    if (database.url === undefined) {
      return [
        off(
          'The embedded PostgreSQL is brought up to date when the service starts.',
          'Without a URL there is no other database.',
          'Set APP_DATABASE__URL to look at another.',
        ),
      ]
    }
    try {
      const connection = await connectionOptions(database)
      const states = await migrationStatus({ connection, directory: MIGRATIONS })
      return examine(states, database.migrate_on_start)
    } catch (error) {
      if (error instanceof MigrationError) {
        return [problem(error.message, 'The service does not start with it.', 'Correct the files.')]
      }
      if (databaseError(error) === error) throw error
      return [
        unchecked(
          'The database cannot be asked.',
          'Migrations may be pending, or changed.',
          'As the check of the database says.',
        ),
      ]
    }
  },
}
export default check

function examine(states: readonly MigrationState[], onStart: boolean): Finding[] {
  const named = (state: MigrationState['state']) =>
    states.filter((one) => one.state === state).map(({ version, name }) => `${version} (${name})`)
  const findings: Finding[] = []
  const pending = named('pending')
  if (pending.length > 0 && !onStart) {
    findings.push(
      problem(
        `Migrations are pending: ${pending.join(', ')}.`,
        'With database.migrate_on_start off, instances of this version do not get ready.',
        'npm run migrate -- up',
      ),
    )
  }
  const wrong = [...named('changed'), ...named('skipped')]
  if (wrong.length > 0) {
    findings.push(
      problem(
        `Migrations are not what was applied: ${wrong.join(', ')}.`,
        'The service does not start: nobody knows what the schema is.',
        'Put the files back as they were (npm run migrate -- status), and changes into a new migration.',
      ),
    )
  }
  const unknown = named('unknown')
  if (unknown.length > 0) {
    findings.push(
      warning(
        `The database has newer migrations: ${unknown.join(', ')}.`,
        'A newer version has been here; this one works with it, as in a rolling deployment.',
        'Nothing, unless nobody is deploying: then run the newer version.',
      ),
    )
  }
  return findings
}
