import type { ObjectStore } from '#lib/object-store/object-store.ts'
import { inParallel } from '#lib/waiting/in-parallel.ts'
import { keysOnlyIn, readInventory } from './inventory.ts'
import { type BackupName, findBackups } from './names.ts'
import type { BackupStore } from './store.ts'

/** Objects that are removed at once. */
const AT_ONCE = 8

/**
 * Removes the contents that of all backups in a place only this one names, and then its inventory. Those of other databases
 * count as well: one that was restored names the same contents as the one that it is a copy of.
 */
export async function removeContents(
  { inventory: file, stem }: BackupName,
  { store, contents }: { store: BackupStore; contents: ObjectStore },
): Promise<void> {
  const others = findBackups(await store.list()).filter((other) => other.hasInventory && other.stem !== stem)
  const read = async (name: string) => readInventory(await store.read(name), name)
  const gone = keysOnlyIn(await read(file), await Promise.all(others.map(({ inventory }) => read(inventory))))
  await inParallel(gone, AT_ONCE, (key) => contents.remove(key))
  await store.remove(file)
}
