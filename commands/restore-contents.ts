import { bringAll } from '#lib/backup/contents.ts'
import type { Database } from '#lib/database/database.ts'
import type { ObjectStore } from '#lib/object-store/object-store.ts'
import { inventory, setStore } from '#services/storage/inventory.ts'
import { note } from './run-command.ts'

/** Faults that are told one by one. */
const TOLD = 20

/**
 * Brings the contents that the database names and the store lacks from the place of a backup, and sets the exit code to 1 if
 * some are missing then.
 *
 * @returns what became of them, a line; nothing if the database names none
 */
export async function restoreContents(
  db: Pick<Database, 'query'>,
  { to, ...options }: { from: ObjectStore; to: ObjectStore; digests?: boolean },
): Promise<string> {
  const { objects, bytes, copied, faults } = await bringAll(inventory(db), { to, ...options })
  for (const { key, what } of faults.slice(0, TOLD)) note(`missing: ${key}: ${what}`)
  if (faults.length > TOLD) note(`and ${faults.length - TOLD} more (npm run files -- verify lists them)`)
  if (faults.length > 0) process.exitCode = 1
  // They may have been in another kind of store when the backup was made.
  else await setStore(db, to.kind)
  if (objects + faults.length === 0) return ''
  const missing = faults.length === 0 ? 'none is missing' : `${faults.length} are missing`
  return `${objects} contents of files, ${bytes} bytes: ${copied} restored, ${objects - copied} were there, ${missing}\n`
}
