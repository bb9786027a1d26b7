import { open } from 'node:fs/promises'

/** Without it a power loss may take back what was made or renamed in a directory. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
