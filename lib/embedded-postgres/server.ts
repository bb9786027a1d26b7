import { spawn } from 'node:child_process'
import { open, readFile, rename } from 'node:fs/promises'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Binaries } from './binaries.ts'
import { readPassword } from './cluster.ts'
import { type Address, connect } from './connection.ts'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import { explainOutput } from './explain-output.ts'
import type { Launcher } from './launcher.ts'
import type { Layout } from './layout.ts'
import { disownPidFile, findPostmaster, isPostmaster } from './postmaster.ts'

export interface ServerOptions {
  readonly layout: Layout
  readonly binaries: Binaries
  readonly launcher: Launcher
  /** Settings for a server that has to be started. */
  readonly settings: Readonly<Record<string, string>>
  readonly log: (message: string) => void
  /** Chooses the port; another is asked for when somebody else got it first. */
  readonly choosePort: () => Promise<number>
  /** Ends a server that was started here. */
  readonly signal?: AbortSignal | undefined
}

// Recovery after a crash takes its time.
const READY_TIMEOUT_MS = 120_000
const MAX_ATTEMPTS = 6
// Each of these passes: another took the port, orphaned backends are about to end, another server starts.
const PASSING =
  /could not create any TCP\/IP sockets|pre-existing shared memory block|lock file .* already exists/

/** Uses the server that runs on the cluster already, or starts it, and waits until it answers. */
export async function ensureServer(options: ServerOptions): Promise<Address> {
  for (let attempt = 1; ; attempt++) {
    const running = await findPostmaster(options.layout)
    if (!running) await disownPidFile(options.layout)
    const lives = running ? () => isPostmaster(running.pid, options.layout) : await launch(options)
    const address = await whenReady(options.layout, lives)
    if (address) {
      const what = running ? 'Using the PostgreSQL that runs' : 'Started PostgreSQL'
      options.log(`${what} in ${options.layout.directory}, port ${address.port}`)
      return address
    }
    const output = (await readFile(options.layout.log, 'utf8').catch(() => '')).slice(-2000)
    // One that ran before was about to stop; a new one may be started.
    if (!running && (attempt >= MAX_ATTEMPTS || !PASSING.test(output))) {
      throw new EmbeddedPostgresError(
        `PostgreSQL did not start in ${options.layout.directory}: ${explainOutput(output)}`,
      )
    }
    await sleep(attempt * 100)
  }
}

/** A port of 127.0.0.1 that nobody uses at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      /* c8 ignore next -- The other types are those of pipes and closed servers. */
      const port = address !== null && typeof address === 'object' ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

/** Tells whether a server that does not answer may do so yet. */
type Lives = () => boolean | Promise<boolean>

/** The arguments of a server that nobody reaches but from this machine. */
export function serverArguments(
  { cluster }: Pick<Layout, 'cluster'>,
  settings: ServerOptions['settings'],
  port: number,
): string[] {
  const all: Readonly<Record<string, string>> = {
    timezone: 'UTC',
    ...settings,
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
  }
  return ['-D', cluster, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

/** Starts the server in a session of its own, so that Ctrl-C in a terminal reaches us and not it. */
async function launch(options: ServerOptions): Promise<Lives> {
  const { layout, launcher } = options
  const args = serverArguments(layout, options.settings, await options.choosePort())
  const command = launcher.command(options.binaries.postgres, args)
  await rename(layout.log, `${layout.log}.previous`).catch(() => undefined)
  const log = await open(layout.log, 'a', 0o600)
  try {
    const stdio: ['ignore', number, number] = ['ignore', log.fd, log.fd]
    const child = spawn(command.file, command.args, {
      ...command.options,
      detached: true,
      stdio,
      // PostgreSQL's fast shutdown.
      ...(options.signal && { signal: options.signal, killSignal: 'SIGINT' }),
    })
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    child.unref()
    return () => child.exitCode === null && child.signalCode === null
  } finally {
    await log.close()
  }
}

/** Waits until the server accepts our password, or returns undefined when it ends. */
async function whenReady(layout: Layout, lives: Lives): Promise<Address | undefined> {
  const password = await readPassword(layout)
  const deadline = Date.now() + READY_TIMEOUT_MS
  for (;;) {
    const postmaster = await findPostmaster(layout)
    if (postmaster?.port && (await answers(layout, { port: postmaster.port, password }))) {
      return { port: postmaster.port, password }
    }
    if (!(await lives())) return undefined
    /* c8 ignore next 3 -- A server that hangs for two minutes is more than a test can wait for. */
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError(`PostgreSQL does not answer in ${layout.directory}; see ${layout.log}`)
    }
    await sleep(30)
  }
}

async function answers(layout: Layout, address: Address): Promise<boolean> {
  try {
    const client = await connect(address, 'groundwork-probe')
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory')
    await client.end()
    return rows[0]?.data_directory === layout.cluster
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '28P01') {
      const message = `The PostgreSQL that runs in ${layout.directory} refuses the password in ${layout.password}. Put back the file that belongs to it, or stop that server.`
      throw new EmbeddedPostgresError(message, { cause: error })
    }
    return false
  }
}
