import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** Returns the open files of this process below a directory; undefined where the system does not say. */
export async function openFilesIn(directory: string): Promise<string[] | undefined> {
  const handles = await readdir('/proc/self/fd').catch(() => undefined)
  if (handles === undefined) return undefined
  const paths = await Promise.all(
    handles.map((handle) => readlink(join('/proc/self/fd', handle)).catch(() => '')),
  )
  return paths.filter((path) => path.startsWith(directory))
}
