import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationError } from './migration-error.ts'

/** One version of the schema, and the files that lead to it and back. */
export interface MigrationFile {
  readonly version: number
  readonly name: string
  /** Path of NNN.do.name.sql. */
  readonly up: string
  /** Path of NNN.undo.name.sql; absent when there is no way back. */
  readonly down: string | undefined
}

const NAME = /^(\d{3,})\.(do|undo)\.([a-z0-9-]+)\.sql$/

/**
 * Lists the migrations of a directory, oldest first.
 *
 * @throws MigrationError for a badly named file, two files of one kind and version, a missing version, or an
 * undo file without its do file.
 */
export async function listMigrations(directory: string): Promise<MigrationFile[]> {
  const ups = new Map<number, { file: string; name: string }>()
  const downs = new Map<number, { file: string; name: string }>()
  for (const file of (await readdir(directory)).sort()) {
    if (!file.endsWith('.sql')) continue
    const match = NAME.exec(file)
    if (!match) throw new MigrationError(`${file}: a migration is named NNN.do.name.sql or NNN.undo.name.sql`)
    const [, digits = '', action, name = ''] = match
    const version = Number(digits)
    const files = action === 'do' ? ups : downs
    const other = files.get(version)
    if (other) throw new MigrationError(`${file}: ${other.file} has the same version`)
    files.set(version, { file, name })
  }
  return pair(directory, ups, downs)
}

function pair(
  directory: string,
  ups: Map<number, { file: string; name: string }>,
  downs: Map<number, { file: string; name: string }>,
): MigrationFile[] {
  for (const [version, { file, name }] of downs) {
    if (ups.get(version)?.name !== name) throw new MigrationError(`${file}: there is no do file of this name`)
  }
  return [...ups]
    .sort(([a], [b]) => a - b)
    .map(([version, { file, name }], index) => {
      if (version !== index + 1) {
        const message = `${file}: version ${index + 1} is missing; versions are 1, 2, 3 and so on, without gaps`
        throw new MigrationError(message)
      }
      const undo = downs.get(version)
      return { version, name, up: join(directory, file), down: undo && join(directory, undo.file) }
    })
}
