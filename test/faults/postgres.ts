import type { QueryResultRow } from 'pg'
import type { Test } from 'tap'
import { openLayout } from '#lib/embedded-postgres/layout.ts'
import { endPostmaster, findPostmaster } from '#lib/embedded-postgres/postmaster.ts'
import { FAST, killServer, query, serverDirectory, start } from '#test/support/embedded-servers.ts'
import { startProxy, type TcpProxy } from '#test/support/tcp-proxy.ts'

/** A PostgreSQL of a test's own, behind a proxy that keeps its address when the server comes back on another port. */
export interface FaultyPostgres {
  readonly directory: string
  /** For the service: by way of the proxy. */
  readonly url: string
  readonly proxy: TcpProxy
  /** Runs a statement as the superuser, past the proxy, and returns its rows. */
  query<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>
  /** The URL past the proxy, of the server that runs now. */
  direct(): string
  /** The same as the superuser. */
  superuser(): string
  /** Ends the server in order. */
  stop(): Promise<void>
  /** Ends the server as a crash does: no checkpoint, no goodbye. */
  crash(): Promise<void>
  /** All of its processes stand still, in the middle of whatever they do; connections stay, and nobody answers. */
  freeze(): Promise<void>
  /** They go on. */
  thaw(): void
  /** Starts it again; after a crash it recovers from its log. */
  restart(): Promise<void>
  /** The number of its first process. */
  pid(): Promise<number>
}

export interface PostgresOptions {
  /** Settings of the server. It does without fsync, which only a crash of the machine could tell. */
  settings?: Record<string, string>
  /** Where its data lie, when the test has made the place. */
  directory?: string
}

/** Starts a PostgreSQL with a data directory of its own; all of it is gone when `t` ends. */
export async function startPostgres(t: Test, options: PostgresOptions = {}): Promise<FaultyPostgres> {
  const directory = options.directory ?? (await serverDirectory(t))
  let superuserUrl = ''
  const launch = async () => {
    const server = await start(directory, { settings: { ...FAST, ...options.settings } })
    t.teardown(() => server.stop())
    superuserUrl = server.superuserUrl
    return server.url
  }
  const pid = async () => {
    const postmaster = await findPostmaster(await openLayout(directory))
    if (postmaster === undefined) throw new Error('PostgreSQL does not run')
    return postmaster.pid
  }
  let frozen: number[] = []
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
    for (const number of frozen) {
      try {
        process.kill(number, name)
      } catch {
        // It has ended since.
      }
    }
  }
  let direct = await launch()
  const proxy = await startProxy(t, direct)
  return {
    directory,
    url: proxy.url,
    proxy,
    query: (text, values) => query(superuserUrl, text, values),
    direct: () => direct,
    superuser: () => superuserUrl,
    async stop() {
      const layout = await openLayout(directory)
      await endPostmaster(layout, await pid(), 'SIGINT')
    },
    crash: () => killServer(directory),
    async freeze() {
      const rows = await query<{ pid: number }>(superuserUrl, 'SELECT pid FROM pg_stat_activity')
      // Its first process before the others, which it would replace.
      frozen = [await pid(), ...rows.map((row) => row.pid)]
      signal('SIGSTOP')
    },
    thaw: () => signal('SIGCONT'),
    async restart() {
      direct = await launch()
      proxy.retarget(direct)
    },
    pid,
  }
}
