import { spawn } from 'node:child_process'
import { open, readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '#lib/embedded-postgres/server.ts'
import { type Usage, usageOf } from './process-usage.ts'

/** A server under measurement, a process of its own that listens on 127.0.0.1. */
export interface ServerProcess {
  readonly origin: string
  readonly pid: number
  /** Milliseconds from its start until it was ready. */
  readonly startup: number
  usage(): Promise<Usage | undefined>
  /** Empties its log, which would fill the disk. */
  emptyLog(): Promise<void>
  stop(): Promise<void>
}

export interface ServerOptions {
  /** Names its log. */
  readonly name: string
  readonly directory: string
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  /** Its whole environment, but for PATH. */
  readonly env: (port: number) => Record<string, string>
  /** The port that it is told, or has for HTTP; a free one by default. */
  readonly port?: number
  /** Answers 2xx when it can be used. */
  readonly readyPath: string
}

const READY_WITHIN = 60_000

/** Milliseconds; a process that does not go by then is killed. */
const STOP_WITHIN = 15_000

/**
 * Starts a server and waits until it is ready. Its standard output and error go to a file, as what production
 * writes has to go somewhere, and a pipe would be read by us, who share the machine.
 *
 * @throws Error with the log's end when it is not ready in time
 */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const { name, directory, command, args, cwd, readyPath } = options
  const port = options.port ?? (await freePort())
  const origin = `http://127.0.0.1:${port}`
  const logFile = join(directory, `${name.replaceAll(/[^\w.-]+/g, '-')}-${port}.log`)
  const log = await open(logFile, 'a', 0o600)
  const env = { PATH: process.env['PATH'], ...options.env(port) }
  const begin = performance.now()
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', log.fd, log.fd] })
  const ended = new Promise<void>((resolve) =>
    child.once('close', () => resolve()).once('error', () => resolve()),
  )
  await log.close()

  async function stop(): Promise<void> {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN)
    await ended
    clearTimeout(timer)
  }

  const isGone = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null
  try {
    await untilReady(`${origin}${readyPath}`, begin + READY_WITHIN, isGone)
  } catch (error) {
    await stop()
    const text = await readFile(logFile, 'utf8').catch(() => '')
    throw new Error(`${name} did not start: ${text.slice(-2000).trim()}`, { cause: error })
  }
  const startup = performance.now() - begin
  const pid = child.pid ?? 0
  return {
    origin,
    pid,
    startup,
    usage: () => usageOf(pid),
    emptyLog: () => truncate(logFile),
    stop,
  }
}

async function untilReady(url: string, deadline: number, isGone: () => boolean): Promise<void> {
  while (performance.now() < deadline && !isGone()) {
    const status = await statusOf(url)
    if (status !== undefined && status < 300) return
    await sleep(5)
  }
  throw new Error(isGone() ? 'it has ended' : 'it is not ready in time')
}

async function statusOf(url: string): Promise<number | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) })
    await response.body?.cancel()
    return response.status
  } catch {
    return undefined
  }
}
