/**
 * The encryption of secrets that the database keeps (docs/operations/secrets.md):
 * `npm run encryption -- new` makes a key;
 * `npm run encryption -- status` says how many values each key has encrypted;
 * `npm run encryption -- rotate` encrypts with the first key what another one encrypted.
 * Exits with 1 when it fails, which values that cannot be read do too, and with 2 for arguments that it does not know.
 */
import { randomBytes } from 'node:crypto'
import { ConfigError } from '#config/engine/config-error.ts'
import type { Database } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { findEncryptedColumns } from '#lib/encryption/encrypted-column.ts'
import type { Encryption } from '#lib/encryption/encryption.ts'
import { encryptAgain, keyStatus } from '#lib/encryption/rotation.ts'
import { note, offerHelp, runCommand } from './run-command.ts'
import { renderTable } from './table.ts'
import { commandConfig, withApp } from './with-app.ts'

const USAGE = 'Usage: npm run encryption -- new | status | rotate\n'

offerHelp(USAGE)

type Work = (db: Database, encryption: Encryption) => Promise<string>

await runCommand(parseCommand(process.argv.slice(2)), USAGE, async (command) => {
  process.stdout.write(await command())
})

function parseCommand([name, ...rest]: string[]): (() => Promise<string>) | undefined {
  if (rest.length > 0) return undefined
  if (name === 'new') return async () => `${randomBytes(32).toString('base64')}\n`
  if (name === 'status') return () => withKeys(status)
  if (name === 'rotate') return () => withKeys(rotate)
  return undefined
}

async function withKeys(work: Work): Promise<string> {
  const config = commandConfig()
  if (config.encryption.keys === undefined) {
    throw new ConfigError(['APP_ENCRYPTION__KEYS: must be set; `npm run encryption -- new` makes a key'])
  }
  return withApp(config, ({ ctx: { encryption }, db }) => {
    /* c8 ignore next -- it was set above */
    if (encryption === undefined) throw new TypeError('there is no encryption')
    // Tenants' tables too, of all organizations.
    return work(new SystemDatabase(db), encryption)
  })
}

async function status(db: Database, encryption: Encryption): Promise<string> {
  const keys = await keyStatus(db, encryption, await findEncryptedColumns())
  return renderTable([
    ['KEY', 'USE', 'VALUES'],
    ...keys.map(({ id, use, values }) => [id, use, String(values)]),
  ])
}

async function rotate(db: Database, encryption: Encryption): Promise<string> {
  const { changed, failed } = await encryptAgain(db, encryption, await findEncryptedColumns())
  for (const reason of failed) note(reason)
  if (failed.length > 0) process.exitCode = 1
  return `Encrypted with the first key: ${changed}\n`
}
