import { execFileSync } from 'node:child_process'
import { chown, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { FAST, query, serverDirectory, start } from '#test/support/embedded-servers.ts'
import { eventually } from '#test/support/eventually.ts'
import type { FaultyPostgres } from './postgres.ts'

/** A hot standby: it follows a primary, and answers reads only until it is promoted. */
export interface Standby {
  /** Its URL, past the proxy. */
  readonly url: string
  readonly directory: string
  /** The settings that it was started with. */
  readonly settings: Record<string, string>
  query: FaultyPostgres['query']
  /** Makes it a primary. */
  promote(): Promise<void>
}

/**
 * Starts a standby of `primary`, which is stopped for as long as it takes to copy its data. If it is synchronous, the
 * primary acknowledges from then on only what the standby has.
 */
export async function startStandby(
  t: Test,
  primary: FaultyPostgres,
  { synchronous = true } = {},
): Promise<Standby> {
  const directory = await serverDirectory(t)
  await primary.stop()
  execFileSync('cp', ['-a', primary.directory, directory])
  await primary.restart()
  const cluster = join(directory, 'cluster')
  const signal = join(cluster, 'standby.signal')
  const { uid, gid } = await stat(cluster)
  await writeFile(signal, '')
  await chown(signal, uid, gid)
  const { port, username, password } = new URL(primary.superuser())
  const primary_conninfo = `host=127.0.0.1 port=${port} user=${username} password=${password}`
  const settings = { ...FAST, primary_conninfo }
  const server = await start(directory, { settings })
  t.teardown(() => server.stop())
  if (synchronous) await waitForStandby(primary)
  return {
    url: server.url,
    directory,
    settings,
    query: (text, values) => query(server.superuserUrl, text, values),
    promote: async () => {
      await query(server.superuserUrl, 'ALTER SYSTEM RESET synchronous_standby_names')
      await query(server.superuserUrl, 'SELECT pg_promote()')
    },
  }
}

async function waitForStandby(primary: FaultyPostgres): Promise<void> {
  await primary.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
  await primary.query('SELECT pg_reload_conf()')
  await eventually(async () => {
    const followers = await primary.query("SELECT FROM pg_stat_replication WHERE sync_state = 'sync'")
    return followers.length === 1
  })
}
