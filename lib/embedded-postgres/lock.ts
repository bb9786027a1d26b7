import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

const SQLITE_BUSY = 5

/**
 * Runs `fn` while no other process (nor another caller in this one) holds the lock on `file`, and waits for
 * it as long as needed; `onWait` is called once when it has to.
 *
 * The lock is SQLite's exclusive one on an empty database. It is the operating system's own file lock, which
 * Node offers nowhere else: it ends with its holder, even by `kill -9`, so it is never stale.
 */
export async function withLock<T>(file: string, fn: () => Promise<T>, onWait?: () => void): Promise<T> {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    if (!tryLock(database)) {
      onWait?.()
      while (!tryLock(database)) await sleep(50)
    }
    return await fn()
  } finally {
    database.close()
  }
}

/** Runs `fn` if nobody holds the lock on `file`, while nobody else does. */
export async function withFreeLock(file: string, fn: () => Promise<void>): Promise<void> {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    if (tryLock(database)) await fn()
  } finally {
    database.close()
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return false
    throw error
  }
}
