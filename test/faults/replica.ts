import { execFileSync } from 'node:child_process'
import type { Test } from 'tap'
import { killServer, query, serverDirectory, start } from '#test/support/embedded-servers.ts'
import { startProxy, type TcpProxy } from '#test/support/tcp-proxy.ts'
import type { FaultyPostgres } from './postgres.ts'
import { startStandby } from './standby.ts'

/** A standby that is read from, behind a proxy. */
export interface FaultyReplica {
  /** For the service: by way of the proxy. */
  readonly url: string
  /** As metrics name it. */
  readonly name: string
  readonly proxy: TcpProxy
  /** Its URL past the proxy. */
  direct(): string
  /** Runs a statement as the superuser, past the proxy. */
  query: FaultyPostgres['query']
  /** From now on it receives what the primary writes, and does not show it. */
  pause(): Promise<void>
  resume(): Promise<void>
  crash(): Promise<void>
  restart(): Promise<void>
}

/** Starts two standbys of `primary` that it does not wait for. It is stopped for a moment, to be copied. */
export async function startReplicas(
  t: Test,
  primary: FaultyPostgres,
  settings: Record<string, string> = {},
): Promise<[FaultyReplica, FaultyReplica]> {
  const first = await startStandby(t, primary, { synchronous: false })
  await killServer(first.directory)
  const second = await serverDirectory(t)
  execFileSync('cp', ['-a', first.directory, second])
  const options = { ...first.settings, ...settings }
  return [await openReplica(t, first.directory, options), await openReplica(t, second, options)]
}

async function openReplica(
  t: Test,
  directory: string,
  settings: Record<string, string>,
): Promise<FaultyReplica> {
  let direct = ''
  let superuser = ''
  const launch = async () => {
    const server = await start(directory, { settings })
    t.teardown(() => server.stop())
    direct = server.url
    superuser = server.superuserUrl
  }
  await launch()
  const proxy = await startProxy(t, direct)
  const ask: FaultyPostgres['query'] = (text, values) => query(superuser, text, values)
  return {
    url: proxy.url,
    name: new URL(proxy.url).host,
    proxy,
    direct: () => direct,
    query: ask,
    pause: async () => void (await ask('SELECT pg_wal_replay_pause()')),
    resume: async () => void (await ask('SELECT pg_wal_replay_resume()')),
    crash: () => killServer(directory),
    async restart() {
      await launch()
      proxy.retarget(direct)
    },
  }
}
