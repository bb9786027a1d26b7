import { mkdtemp, rmdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { isMissingFile } from '#lib/files/missing-file.ts'

/**
 * Makes a directory in this one, or in the nearest that is there, and removes it again: permissions alone do not tell
 * whether a file system takes anything.
 *
 * @throws what keeps it from being written to
 */
export async function tryToWrite(directory: string): Promise<void> {
  const nearest = await nearestDirectory(resolve(directory))
  await rmdir(await mkdtemp(join(nearest, '.doctor-')))
}

async function nearestDirectory(place: string): Promise<string> {
  try {
    await stat(place)
    return place
  } catch (error) {
    if (!isMissingFile(error) || dirname(place) === place) throw error
    return nearestDirectory(dirname(place))
  }
}
