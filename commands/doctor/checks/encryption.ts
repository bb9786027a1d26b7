import type pg from 'pg'
import { readEncryptionKeys } from '#config/engine/encryption-keys.ts'
import { SET_SCOPE, scopeValues } from '#lib/database/scope.ts'
import { findEncryptedColumns } from '#lib/encryption/encrypted-column.ts'
import { Encryption } from '#lib/encryption/encryption.ts'
import { keyStatus } from '#lib/encryption/rotation.ts'
import { askDatabase } from '../ask-database.ts'
import { type Check, type Finding, off, problem, unchecked } from '../check.ts'

/** Secrets in the database whose key is not configured, which nobody can read. */
const check: Check = {
  name: 'encryption',
  reads: ['database', 'encryption'],
  async run({ config: { database, encryption } }) {
    if (database.url === undefined) {
      const what = 'The embedded PostgreSQL is used, whose secrets are not looked at.'
      return [off(what, 'database.url is not set.', 'Set APP_DATABASE__URL to look at another.')]
    }
    const [first, ...others] = readEncryptionKeys(encryption.keys ?? '') ?? []
    const keys = first && new Encryption(first, ...others)
    const findings = await askDatabase(
      database,
      (client) => lookAtValues(client, keys),
      unchecked(
        'The encrypted values cannot be counted.',
        'Some may need a key that encryption.keys does not have.',
        'As the checks of the database and the migrations say.',
      ),
    )
    if (findings.length > 0 || keys !== undefined) return findings
    const why = 'Nobody can create webhooks, whose secrets are encrypted.'
    return [off('encryption.keys is not set.', why, 'npm run encryption -- new makes a key.')]
  },
}
export default check

async function lookAtValues(client: pg.Client, keys: Encryption | undefined): Promise<Finding[]> {
  await client.query('BEGIN READ ONLY')
  await client.query(SET_SCOPE, scopeValues({ scope: 'system' }))
  const db = {
    query: async <Row extends object>({ text }: { text: string }) => (await client.query<Row>(text)).rows,
  }
  const configured = { keyIds: keys?.keyIds ?? [], currentKeyId: keys?.currentKeyId ?? '' }
  const all = await keyStatus(db, configured, await findEncryptedColumns())
  return all
    .filter(({ use }) => use === 'is missing')
    .map(({ id, values }) =>
      problem(
        `${values} encrypted ${values === 1 ? 'value needs' : 'values need'} the key ${id}, which encryption.keys does not have.`,
        'Nobody can read them: webhooks with such a secret send nothing.',
        'Add that key to APP_ENCRYPTION__KEYS, after the first (docs/operations/secrets.md).',
      ),
    )
}
