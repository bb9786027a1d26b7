import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import pg from 'pg'
import Postgrator from 'postgrator'
import { MigrationError } from './migration-error.ts'
import { type Statement, splitStatements } from './statements.ts'

const NO_TRANSACTION = /^-- no transaction[ \t\r]*(?:\n|$)/
const TRANSACTION_CONTROL = /^(begin|start\s+transaction|commit|end|rollback|abort|prepare\s+transaction)\b/i
const SHOWN_CHARACTERS = 200

/** A step from one version of the schema to the next or to the one before. */
export interface Step {
  /** The version that the database has after it. */
  readonly target: number
  /** Path of the file that leads there. */
  readonly file: string
}

/** postgrator, which keeps the book of versions; the statements are run one by one, here. */
export function createPostgrator(
  client: pg.Client,
  directory: string,
  execSqlScript: (script: string) => Promise<void>,
): Postgrator {
  return new Postgrator({
    driver: 'pg',
    // The path is a glob pattern to postgrator.
    migrationPattern: `${directory.replace(/[\\[\]{}()*?!+@]/g, '\\$&')}/*.sql`,
    schemaTable: 'schemaversion',
    // Files with CRLF, as git may lay them out, are the same files.
    newline: 'LF',
    // All of them are verified once, before the first step.
    validateChecksums: false,
    execQuery: (query) => client.query(query),
    execSqlScript,
  })
}

/**
 * Runs one migration file. It and its row in `schemaversion` are one transaction, unless the file's first line
 * is `-- no transaction`.
 *
 * @throws MigrationError that names the file, the line and the statement.
 */
export async function runStep(client: pg.Client, step: Step): Promise<void> {
  const script = await readFile(step.file, 'utf8')
  const transactional = !NO_TRANSACTION.test(script)
  const postgrator = createPostgrator(client, dirname(step.file), async () => {
    const statements = splitStatements(script)
    if (transactional) refuseTransactionControl(step.file, statements)
    for (const statement of statements) await runStatement(client, step.file, statement, transactional)
  })
  if (!transactional) {
    // Without a limit: CREATE INDEX CONCURRENTLY waits for other transactions without being in anybody's way.
    await postgrator.migrate(String(step.target))
    return
  }
  await client.query(
    "BEGIN; SET LOCAL lock_timeout = '30s'; SET LOCAL statement_timeout = 0; SET LOCAL app.scope = 'system'",
  )
  try {
    await postgrator.migrate(String(step.target))
    await runStatement(client, step.file, { text: 'COMMIT', line: script.split('\n').length }, true)
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}

function refuseTransactionControl(file: string, statements: readonly Statement[]): void {
  const found = statements.find(({ text }) => TRANSACTION_CONTROL.test(text))
  if (!found) return
  throw new MigrationError(
    `${basename(file)}, line ${found.line}: a migration is one transaction already, so it must not contain ` +
      `${shorten(found.text)}; begin the file with "-- no transaction" to run it without one`,
  )
}

async function runStatement(
  client: pg.Client,
  file: string,
  statement: Statement,
  transactional: boolean,
): Promise<void> {
  try {
    await client.query(statement.text)
  } catch (cause) {
    const reason = String(cause).replace(/^error: /i, '')
    const line = statement.line + linesBefore(cause, statement.text)
    const outcome = transactional
      ? 'Nothing of this file was applied.'
      : 'The file runs without a transaction: what stands before this statement was applied.'
    const message = `${basename(file)}, line ${line}: ${reason}\n  in: ${shorten(statement.text)}\n  ${outcome}`
    throw new MigrationError(message, { cause })
  }
}

/** How far below the statement's first line PostgreSQL found the mistake; it counts characters, from 1. */
function linesBefore(error: unknown, text: string): number {
  if (!(error instanceof pg.DatabaseError) || error.position === undefined) return 0
  const before = [...text].slice(0, Number(error.position) - 1)
  return before.filter((character) => character === '\n').length
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}...` : line
}
