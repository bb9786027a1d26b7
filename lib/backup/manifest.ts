import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { BackupError } from './backup-error.ts'

/** Says what a dump holds. It is written last: a dump without one is not a backup. */
export const Manifest = Type.Object({
  format: Type.Literal(1),
  /** Time of the snapshot that was dumped, RFC 3339. It contains what was committed before. */
  created_at: Type.String({ minLength: 1 }),
  service_version: Type.String(),
  /** The newest migration; 0 in a database that has none. */
  migration_version: Type.Integer({ minimum: 0 }),
  postgres_version: Type.String(),
  database: Type.Object({
    name: Type.String(),
    /** Bytes on disk, indexes included. */
    size: Type.Integer({ minimum: 0 }),
  }),
  dump: Type.Object({
    file: Type.String({ pattern: '^[\\w-]+\\.dump$' }),
    /** Bytes. */
    size: Type.Integer({ minimum: 0 }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  }),
  /** The contents of files that the dumped rows name; missing in backups of older versions. */
  files: Type.Optional(
    Type.Object({
      /** The file that lists them, with its own size and digest. */
      inventory: Type.Object({
        file: Type.String({ pattern: '^[\\w-]+\\.files$' }),
        size: Type.Integer({ minimum: 0 }),
        sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
      }),
      objects: Type.Integer({ minimum: 0 }),
      bytes: Type.Integer({ minimum: 0 }),
      /** How many of them are beside the backup. */
      copied: Type.Integer({ minimum: 0 }),
    }),
  ),
  /** The rows of each table, counted in the snapshot that was dumped. */
  tables: Type.Array(
    Type.Object({ schema: Type.String(), name: Type.String(), rows: Type.Integer({ minimum: 0 }) }),
  ),
})

export type Manifest = Static<typeof Manifest>

/**
 * Reads a manifest.
 *
 * @throws BackupError for text that is not a manifest.
 */
export function parseManifest(text: string, file: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new BackupError(`${file} is not JSON: the manifest is damaged. Take another backup.`)
  }
  if (Value.Check(Manifest, value)) return value
  const [first] = Value.Errors(Manifest, value)
  const where = first ? ` (${first.path || '/'}: ${first.message})` : ''
  throw new BackupError(`${file} is not a manifest of this service${where}. Take another backup.`)
}
