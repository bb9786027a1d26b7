import { open } from 'node:fs/promises'
import { Rounds } from '#lib/waiting/rounds.ts'

/** For each directory, those who wait for the disk. */
const waiting = new Map<string, Rounds<undefined, void>>()

/**
 * Makes durable what was made or renamed in a directory: without it a power loss may take that back. Those who ask
 * while the disk is at work share the next time.
 */
export function syncDirectory(path: string): Promise<void> {
  const rounds = waiting.get(path) ?? new Rounds(() => sync(path))
  waiting.set(path, rounds)
  return rounds.join(undefined)
}

async function sync(path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
