import { exportsOf } from '#lib/discovery/exports-of.ts'
import type { Encryption } from './encryption.ts'

const FOLDERS = [new URL('../../lib/', import.meta.url), new URL('../../services/', import.meta.url)]

/** A column of bytea that holds encrypted values. A domain declares its own in `encrypted.ts`. */
export class EncryptedColumn {
  readonly table: string
  /** The primary key's column, or the part of it that tells rows apart: a uuid. */
  readonly key: string
  readonly column: string

  constructor({ table, key, column }: { table: string; key: string; column: string }) {
    this.table = table
    this.key = key
    this.column = column
  }

  /** Returns the value to store in the row with this key. */
  encrypt(encryption: Encryption, key: string, text: string): Buffer {
    return encryption.encrypt(text, this.#placeOf(key))
  }

  /**
   * Returns the text that the row with this key holds.
   *
   * @throws EncryptionError
   */
  decrypt(encryption: Encryption, key: string, value: Buffer): string {
    return encryption.decrypt(value, this.#placeOf(key))
  }

  #placeOf(key: string): string {
    return `${this.table}.${this.column} of ${key}`
  }
}

/** Returns what every lib/<part>/encrypted.ts and services/<domain>/encrypted.ts declares. */
export async function findEncryptedColumns(folders: readonly URL[] = FOLDERS): Promise<EncryptedColumn[]> {
  const values = await exportsOf('encrypted.ts', folders)
  return values.filter((value) => value instanceof EncryptedColumn)
}
