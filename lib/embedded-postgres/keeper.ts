import type pg from 'pg'
import { repeatUntil } from '#lib/waiting/repeat.ts'
import { type Address, connect } from './connection.ts'

declare module 'pg' {
  interface Client {
    // Missing in @types/pg: whether the open connection keeps the process alive.
    ref(): void
    unref(): void
  }
}

const KEEPER = 'groundwork-keeper'
const RETRY_INTERVAL_MS = 1000

/**
 * A connection that says "this process uses the server". PostgreSQL itself counts them, so a process that was
 * killed is never counted: its connection ended with it.
 */
export interface Keeper {
  /** How many other keepers there are. */
  countOthers(): Promise<number>
  /** Releases the claim. */
  release(): Promise<void>
}

/** Connects, and reconnects when the connection is lost although the server runs (a backend crashed). */
export async function openKeeper(address: Address): Promise<Keeper> {
  const released = new AbortController()
  let client: pg.Client | undefined

  async function open(): Promise<pg.Client> {
    const opened = await connect(address, KEEPER)
    opened.once('end', () => {
      if (client === opened) client = undefined
      void reconnect()
    })
    // A claim must not keep a process alive.
    opened.unref()
    client = opened
    return opened
  }

  async function reconnect(): Promise<void> {
    const attempt = () =>
      open().then(
        () => true,
        () => false,
      )
    await repeatUntil(released.signal, RETRY_INTERVAL_MS, attempt, { ref: false })
  }

  await open()
  return {
    async countOthers() {
      /* c8 ignore next -- The new connection is needed only within the second before it is made anyway. */
      const counter = client ?? (await open())
      counter.ref()
      return countKeepers(counter)
    },
    async release() {
      released.abort()
      // It may be lost while we wait for its answer.
      const leaving = client
      if (!leaving) return
      // A backend outlives its connection for a moment, and must not be counted in it.
      await leaving.query("SET application_name = 'groundwork-leaving'").catch(() => undefined)
      await leaving.end().catch(() => undefined)
    },
  }
}

/** Counts the keepers other than `client` itself. */
export async function countKeepers(client: pg.Client): Promise<number> {
  const text = 'SELECT FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()'
  const { rows } = await client.query(text, [KEEPER])
  return rows.length
}
