import type pg from 'pg'
import { loadBinaries } from './binaries.ts'
import { clusterExists, createCluster, readPassword, removeCluster } from './cluster.ts'
import { type Address, connect, databaseUrl, superuserUrl } from './connection.ts'
import { handOver } from './hand-over.ts'
import { countKeepers, type Keeper, openKeeper } from './keeper.ts'
import { chooseLauncher } from './launcher.ts'
import { type Layout, openLayout } from './layout.ts'
import { withFreeLock, withLock } from './lock.ts'
import { endPostmaster, findPostmaster } from './postmaster.ts'
import { DATABASE, ensureDatabase } from './role.ts'
import { ensureServer, freePort } from './server.ts'

export interface EmbeddedPostgresOptions {
  /** Holds the data, the password and the server's log; made when missing. */
  readonly directory: string
  /** PostgreSQL settings for a server that has to be started. */
  readonly settings?: Readonly<Record<string, string>>
  /** Begin with an empty cluster, unless another process uses the server. */
  readonly fresh?: boolean
  readonly log?: (message: string) => void
  /** Ends what a start that is under way has begun, before nobody is left to do it. */
  readonly signal?: AbortSignal | undefined
}

export interface EmbeddedPostgres {
  /** The database `groundwork`, as its owner, whom row-level security binds. */
  readonly url: string
  /** The same as the superuser, for tests and measurements. */
  readonly superuserUrl: string
  /**
   * Leaves the server, and stops it when no other process uses it. May be called more than once.
   *
   * @param discard whether its data are removed with it
   */
  stop(options?: { discard?: boolean }): Promise<void>
}

/**
 * Starts a real PostgreSQL for development and tests, on 127.0.0.1 and a port that is free at its start. The
 * data in `directory` survive; several processes may use one server, and the last to leave stops it. One that
 * was left behind by a process that was killed is taken over by the next.
 *
 * @throws Error when the package is missing, or PostgreSQL cannot be started here; the message says why.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const log = options.log ?? (() => undefined)
  const layout = await openLayout(options.directory)
  const onWait = (): void => log(`Waiting for another process that starts or stops ${layout.directory}`)
  const { address, keeper } = await withLock(layout.lock, () => enter(layout, options, log), onWait)
  let stopped: Promise<void> | undefined
  return {
    url: databaseUrl(address),
    superuserUrl: superuserUrl(address),
    stop({ discard = false } = {}) {
      stopped ??= withLock(layout.lock, async () => {
        const ended = await leave(layout, keeper, log)
        if (ended && discard) await removeCluster(layout)
      })
      return stopped
    },
  }
}

/** Ends the server in a directory that no process uses, and removes its data; one that is starting counts as used. */
export async function removeUnusedServer(directory: string): Promise<void> {
  const layout = await openLayout(directory)
  await withFreeLock(layout.lock, () => removeUnused(layout))
}

async function enter(
  layout: Layout,
  options: EmbeddedPostgresOptions,
  log: (message: string) => void,
): Promise<{ address: Address; keeper: Keeper }> {
  const binaries = await loadBinaries()
  const launcher = await chooseLauncher(layout, binaries)
  const settings = options.settings ?? {}
  const { fsync } = settings
  const { signal } = options
  const server = { layout, binaries, launcher, settings, log, choosePort: freePort, signal }
  if (options.fresh) await removeUnused(layout)
  if (!(await clusterExists(layout))) {
    log(`Making a PostgreSQL cluster in ${layout.directory}`)
    await createCluster(layout, binaries, launcher, { durable: fsync !== 'off', signal })
  }
  const address = await ensureServer(server)
  const keeper = await openKeeper(address)
  const isOthers = await withClient(address, (client) => ensureDatabase(client, address.password))
  if (isOthers) {
    log(`Handing the database in ${layout.directory} over to a role that is not a superuser`)
    await withClient(address, handOver, DATABASE)
  }
  return { address, keeper }
}

/** Returns whether the server was stopped. */
async function leave(layout: Layout, keeper: Keeper, log: (message: string) => void): Promise<boolean> {
  // Who cannot be counted (the server died, or is recovering) cannot be harmed by a server that stays either:
  // the next start takes it over.
  const others = await keeper.countOthers().catch(() => undefined)
  await keeper.release()
  if (others !== 0) return false
  const postmaster = await findPostmaster(layout)
  /* c8 ignore next -- It answered a moment ago. */
  if (!postmaster) return false
  await endPostmaster(layout, postmaster.pid, 'SIGINT')
  log(`Stopped PostgreSQL in ${layout.directory}`)
  return true
}

async function removeUnused(layout: Layout): Promise<void> {
  const postmaster = await findPostmaster(layout)
  if (postmaster) {
    const { port } = postmaster
    if (port && (await countAt({ port, password: await readPassword(layout) })) > 0) return
    await endPostmaster(layout, postmaster.pid, 'SIGQUIT')
  }
  await removeCluster(layout)
}

/** One that does not let us in has no users that could be asked for. */
async function countAt(address: Address): Promise<number> {
  return withClient(address, countKeepers).catch(() => 0)
}

async function withClient<T>(
  address: Address,
  fn: (client: pg.Client) => Promise<T>,
  database?: string,
): Promise<T> {
  const client = await connect(address, 'groundwork-setup', database)
  try {
    return await fn(client)
  } finally {
    await client.end()
  }
}
