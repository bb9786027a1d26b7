import type { Database } from '#lib/database/database.ts'
import type { EncryptedColumn } from './encrypted-column.ts'
import { type Encryption, EncryptionError } from './encryption.ts'

/** Rows that are read and encrypted again at a time. */
const BATCH_ROWS = 500

/** A key that is configured or in use. */
export interface KeyStatus {
  readonly id: string
  readonly use: 'encrypts' | 'decrypts' | 'is missing'
  /** How many values it has encrypted. */
  readonly values: number
}

/** Returns the keys that are configured, and those that values need all the same. Reads whole tables. */
export async function keyStatus(
  db: Pick<Database, 'query'>,
  { keyIds, currentKeyId }: Pick<Encryption, 'keyIds' | 'currentKeyId'>,
  columns: readonly EncryptedColumn[],
): Promise<KeyStatus[]> {
  const counts = new Map(keyIds.map((id) => [id, 0]))
  for (const column of columns) {
    for (const { key_id, values } of await countKeyUse(db, column)) {
      counts.set(key_id, (counts.get(key_id) ?? 0) + values)
    }
  }
  const useOf = (id: string) => (keyIds.includes(id) ? 'decrypts' : 'is missing')
  return [...counts].map(([id, values]) => ({
    id,
    use: id === currentKeyId ? 'encrypts' : useOf(id),
    values,
  }))
}

/** The id of the key that encrypted a value, as it is written in it. */
const keyIdOf = (column: string) => `encode(substring(${column} FROM 2 FOR 8), 'hex')`

interface KeyUse {
  key_id: string
  values: number
}

function countKeyUse(db: Pick<Database, 'query'>, { table, column }: EncryptedColumn): Promise<KeyUse[]> {
  return db.query<KeyUse>({
    name: `countKeyUse_${table}_${column}`,
    text: `SELECT ${keyIdOf(column)} AS key_id, count(*)::int AS values FROM ${table}
           WHERE ${column} IS NOT NULL GROUP BY 1 ORDER BY 1`,
  })
}

/** The outcome of encrypting a column again. */
export interface Reencryption {
  readonly changed: number
  /** Values that could not be read, with the reason. They are left as they are. */
  readonly failed: readonly string[]
}

/**
 * Encrypts every value of the columns that another key than the first encrypted. The service may be in use: a value
 * that changes meanwhile is not overwritten. It can be stopped and started again at any time.
 */
export async function encryptAgain(
  db: Database,
  encryption: Encryption,
  columns: readonly EncryptedColumn[],
): Promise<Reencryption> {
  const done = []
  for (const column of columns) done.push(await encryptColumn(db, encryption, column))
  return {
    changed: done.reduce((sum, { changed }) => sum + changed, 0),
    failed: done.flatMap(({ failed }) => failed),
  }
}

async function encryptColumn(
  db: Database,
  encryption: Encryption,
  column: EncryptedColumn,
): Promise<Reencryption> {
  let changed = 0
  const failed: string[] = []
  for (let after: string | null = null, rows: StoredValue[]; ; after = rows.at(-1)?.key ?? null) {
    rows = await selectOutdated(db, column, encryption.currentKeyId, after)
    for (const { key, value } of rows) {
      try {
        const text = column.decrypt(encryption, key, value)
        changed += await replace(db, column, { key, value }, column.encrypt(encryption, key, text))
      } catch (error) {
        if (!(error instanceof EncryptionError)) throw error
        failed.push(error.message)
      }
    }
    if (rows.length < BATCH_ROWS) return { changed, failed }
  }
}

interface StoredValue {
  key: string
  value: Buffer
}

function selectOutdated(
  db: Database,
  { table, key, column }: EncryptedColumn,
  currentKeyId: string,
  after: string | null,
): Promise<StoredValue[]> {
  return db.query<StoredValue>({
    name: `selectOutdatedValues_${table}_${column}`,
    text: `SELECT ${key} AS key, ${column} AS value FROM ${table}
           WHERE ${keyIdOf(column)} <> $1 AND ($2::uuid IS NULL OR ${key} > $2)
           ORDER BY ${key} LIMIT ${BATCH_ROWS}`,
    values: [currentKeyId, after],
  })
}

async function replace(
  db: Database,
  { table, key, column }: EncryptedColumn,
  old: StoredValue,
  value: Buffer,
): Promise<number> {
  const rows = await db.query({
    name: `replaceValue_${table}_${column}`,
    text: `UPDATE ${table} SET ${column} = $3 WHERE ${key} = $1 AND ${column} = $2 RETURNING 1 AS changed`,
    values: [old.key, old.value, value],
  })
  return rows.length
}
