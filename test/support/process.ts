import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'
import type { LogRecord } from './helper.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Seconds that a process gets to start in, on a machine that may be busy. */
const START = 300

/** How a process ended. */
export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A process of a test; ended when the test ends. */
export interface TestProcess {
  readonly child: ChildProcess
  /** Its output so far. */
  stdout(): string
  stderr(): string
  /** Its log so far, parsed; fails on a line that is not JSON. */
  logs(): LogRecord[]
  /** Waits until it has ended and everything it wrote is here. */
  readonly exited: Promise<Exit>
}

/** A running service. */
export interface TestService extends TestProcess {
  /** Where it listens, without a trailing slash. */
  readonly url: string
}

/** The variables of this process without the service's own, and then `env`. */
export function environment(
  env: Record<string, string | undefined> = {},
): Record<string, string | undefined> {
  const others = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('APP_') && !name.startsWith('npm_'),
  )
  return { ...Object.fromEntries(others), ...env }
}

/** Variables by which Node keeps compiled code in a copy of the tree, where entries are known by paths from there. */
export function compileCache(directory: string): Record<string, string> {
  return {
    NODE_COMPILE_CACHE: join(directory, '.data/compile-cache'),
    NODE_COMPILE_CACHE_PORTABLE: '1',
  }
}

/** Starts a program. What it has not read of its standard input is the test's to write. */
export function startProcess(
  t: Pick<Test, 'teardown'>,
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): TestProcess {
  const child = spawn(command, args, { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe'], ...options })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      output[name] += chunk
    })
  }
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  t.teardown(async () => {
    // Gently at first, so that the coverage of its code is written.
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
    await exited
    clearTimeout(timer)
  })
  return {
    child,
    exited,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    logs: () =>
      output.stdout
        .split('\n')
        .slice(0, -1)
        .map((line): LogRecord => JSON.parse(line)),
  }
}

export interface ServiceOptions {
  /** Options of Node. */
  nodeArgs?: readonly string[]
  cwd?: string
  /** Whether it starts in a session of its own, so that a `nohup` above the tests means nothing to it. */
  detached?: boolean
}

/** Starts server.ts on a free port, without waiting for it. */
export function startServer(
  t: Test,
  env: Record<string, string>,
  { nodeArgs = [], cwd = ROOT, detached = false }: ServiceOptions = {},
): TestProcess {
  const variables = environment({
    APP_ENVIRONMENT: 'test',
    APP_SERVER__PORT: '0',
    // A machine that is busy with tests is not overloaded.
    APP_PRESSURE__MAX_EVENT_LOOP_DELAY: '0ms',
    ...(cwd === ROOT ? {} : compileCache(cwd)),
    ...env,
  })
  const args = [...nodeArgs, join(cwd, 'server.ts')]
  return startProcess(t, process.execPath, args, { cwd, env: variables, detached })
}

/** Starts server.ts on a free port of 127.0.0.1 and waits until it listens. */
export async function startService(
  t: Test,
  env: Record<string, string>,
  options: ServiceOptions = {},
): Promise<TestService> {
  const server = startServer(t, env, options)
  return { ...server, url: await listening(server) }
}

/** Waits until the log says where the service listens. */
export async function listening(server: TestProcess): Promise<string> {
  let url: string | undefined
  await eventually(async () => {
    url = /Server listening at (http:[^"]+)/.exec(server.stdout())?.[1]
    if (url === undefined && (server.child.exitCode ?? server.child.signalCode) !== null) {
      throw new Error(`the service ended before it listened: ${server.stderr()}${server.stdout()}`)
    }
    return url !== undefined
  }, START)
  return url ?? ''
}
