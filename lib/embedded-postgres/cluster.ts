import { randomBytes } from 'node:crypto'
import { chown, glob, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from '#lib/files/sync-directory.ts'
import type { Binaries } from './binaries.ts'
import { runInitdb } from './initdb.ts'
import type { Launcher } from './launcher.ts'
import type { Layout } from './layout.ts'

/** The superuser of an embedded server, which only its keepers are. */
export const SUPERUSER = 'postgres'

/** Tells whether `layout` holds a cluster. An incomplete one never has this name. */
export async function clusterExists(layout: Layout): Promise<boolean> {
  return (await stat(join(layout.cluster, 'PG_VERSION')).catch(() => undefined)) !== undefined
}

/** Reads the superuser's password. */
export async function readPassword(layout: Layout): Promise<string> {
  return (await readFile(layout.password, 'utf8')).trim()
}

/**
 * Makes an empty cluster with a password of its own: UTF-8, and PostgreSQL's built-in C.UTF-8 locale, which
 * sorts the same on every platform.
 *
 * @param options.durable false spares initdb's syncs, for data that nobody will miss.
 * @throws Error with initdb's output when it fails.
 */
export async function createCluster(
  layout: Layout,
  binaries: Binaries,
  launcher: Launcher,
  options: { durable: boolean; signal?: AbortSignal | undefined },
): Promise<void> {
  await removeLeftovers(layout)
  await writePassword(layout, launcher)
  // initdb that is killed half-way leaves a directory that looks like a cluster: only a whole one is renamed.
  const unfinished = `${layout.cluster}.new-${randomBytes(4).toString('hex')}`
  const args = [
    `--pgdata=${unfinished}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${layout.password}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(options.durable ? [] : ['--no-sync']),
  ]
  try {
    await runInitdb(launcher, binaries.initdb, args, options.signal)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    throw error
  }
  await rename(unfinished, layout.cluster)
  if (options.durable) await syncDirectory(layout.directory)
}

/** Deletes the cluster; no server may run on it. */
export async function removeCluster(layout: Layout): Promise<void> {
  await rm(layout.cluster, { recursive: true, force: true, maxRetries: 5 })
}

async function removeLeftovers(layout: Layout): Promise<void> {
  for await (const name of glob('cluster.new-*', { cwd: layout.directory })) {
    // An initdb whose parent was killed may still be writing there; the next time will do as well.
    await rm(join(layout.directory, name), { recursive: true, force: true }).catch(() => undefined)
  }
}

async function writePassword(layout: Layout, launcher: Launcher): Promise<void> {
  await rm(layout.password, { force: true })
  const password = randomBytes(24).toString('base64url')
  await writeFile(layout.password, `${password}\n`, { mode: 0o600, flush: true })
  /* c8 ignore next -- Each run of the tests takes one way: as root, or not. */
  if (launcher.account) await chown(layout.password, launcher.account.uid, launcher.account.gid)
}
