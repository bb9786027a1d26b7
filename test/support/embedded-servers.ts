import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Test } from 'tap'
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from '#lib/embedded-postgres/embedded-postgres.ts'
import { openLayout } from '#lib/embedded-postgres/layout.ts'
import { endPostmaster, findPostmaster } from '#lib/embedded-postgres/postmaster.ts'

/** Everything in the database that still belongs to the superuser, other than what every database has. */
export const SUPERUSERS = `
  SELECT relname AS name FROM pg_class WHERE oid >= 16384 AND relowner = 10 AND relnamespace <> 'pg_toast'::regnamespace
  UNION ALL SELECT proname FROM pg_proc WHERE oid >= 16384 AND proowner = 10
  UNION ALL SELECT typname FROM pg_type WHERE oid >= 16384 AND typowner = 10
  UNION ALL SELECT nspname FROM pg_namespace WHERE oid >= 16384 AND nspowner = 10
  UNION ALL SELECT stxname FROM pg_statistic_ext WHERE stxowner = 10
  UNION ALL SELECT oid::text FROM pg_largeobject_metadata WHERE lomowner = 10
  UNION ALL SELECT datname FROM pg_database WHERE datname = current_database() AND datdba = 10`

/** Messages of a child; see test/fixtures/embedded-server.ts. */
export interface Message {
  readonly url?: string
  readonly log?: string
  readonly stopped?: boolean
}

export interface Child {
  readonly process: ChildProcess
  /** Waits for the first message (past ones included) that passes. Fails when the child ends without it. */
  message(passes: (message: Message) => boolean): Promise<Message>
  /** Waits until it has the server, and returns the URL. */
  url(): Promise<string>
  stop(): Promise<void>
  kill(): Promise<void>
}

export const FAST = { fsync: 'off' }

/**
 * A directory for a server, which every user may enter. At the end of the test, whatever still runs there is
 * ended, and all is deleted. (The order of this and of t.testdir's own removal could not be relied on.)
 */
export async function serverDirectory(t: Test): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'groundwork-test-'))
  await chmod(parent, 0o777)
  const directory = join(parent, 'server')
  t.teardown(async () => {
    await killServer(directory)
    await rm(parent, { recursive: true, maxRetries: 5 })
  })
  return directory
}

/** Ends the directory's server as `kill -9` of all its processes would. */
export async function killServer(directory: string): Promise<void> {
  const layout = await openLayout(directory)
  const postmaster = await findPostmaster(layout)
  if (postmaster) await endPostmaster(layout, postmaster.pid, 'SIGQUIT')
}

/** As `startEmbeddedPostgres`, without syncs unless the settings say so. */
export function start(
  directory: string,
  options: Pick<EmbeddedPostgresOptions, 'fresh' | 'settings'> = {},
): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ directory, settings: FAST, ...options })
}

/** Runs a statement on a new connection and returns its rows. */
export async function query<Row extends pg.QueryResultRow>(
  url: string,
  text: string,
  values?: unknown[],
): Promise<Row[]> {
  const client = new pg.Client(url)
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<Row>(text, values)).rows
  } finally {
    await client.end()
  }
}

/** Starts a process that uses the server in `directory`. It is killed at the end of the test. */
export function startChild(t: Test, directory: string, options: ForkOptions = {}): Child {
  const file = join(import.meta.dirname, '../fixtures/embedded-server.ts')
  const child = fork(file, [directory], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...options,
  })
  const messages: Message[] = []
  child.on('message', (message: Message) => messages.push(message))
  const exited = once(child, 'exit')
  t.teardown(kill)

  async function message(passes: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = messages.find(passes)
      if (found) return found
      if (child.exitCode !== null) throw new Error(`the child ended with ${child.exitCode}`)
      await Promise.race([once(child, 'message'), exited])
    }
  }
  async function kill(): Promise<void> {
    child.kill('SIGKILL')
    await exited
  }
  return {
    process: child,
    message,
    kill,
    url: async () => (await message(({ url }) => url !== undefined)).url ?? '',
    async stop() {
      child.send('stop')
      await message(({ stopped }) => stopped === true)
      await exited
    },
  }
}
