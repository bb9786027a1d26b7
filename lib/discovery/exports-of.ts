import { readdir } from 'node:fs/promises'

/**
 * Imports every `<folder>/<part>/<file>`, in the order of their paths, and returns all that they export.
 *
 * @param folders URLs that end with a slash
 */
export async function exportsOf(file: string, folders: readonly URL[]): Promise<unknown[]> {
  const values: unknown[] = []
  for (const folder of folders) {
    const parts = (await readdir(folder, { recursive: true })).map((path) => path.replaceAll('\\', '/'))
    const paths = parts.filter((path) => path.endsWith(`/${file}`) && path.split('/').length === 2)
    for (const path of paths.sort()) {
      const exports: Record<string, unknown> = await import(new URL(path, folder).href)
      values.push(...Object.values(exports))
    }
  }
  return values
}
