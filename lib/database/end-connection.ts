import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'

/** Milliseconds that a server gets to let go of a connection. */
const END_TIMEOUT_MS = 1000

/**
 * Ends a connection in order: once it returns, the server counts it no more, unless the server does not answer.
 * It never throws, whatever state the connection is in.
 */
export async function endConnection(client: Pick<pg.Client, 'end'>): Promise<void> {
  const ended = client.end().catch(() => undefined)
  await Promise.race([ended, sleep(END_TIMEOUT_MS, undefined, { ref: false })])
}
