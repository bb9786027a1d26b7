import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Layout } from './layout.ts'

/** A running server, as its postmaster.pid tells. */
export interface Postmaster {
  readonly pid: number
  /** 0 or NaN in the first moments of a start. */
  readonly port: number
}

const run = promisify(execFile)

/** Finds the server that runs on this cluster, no matter which process started it. */
export async function findPostmaster(layout: Layout): Promise<Postmaster | undefined> {
  const lines = await readPidFile(layout)
  const pid = Number(lines[0])
  if (!Number.isSafeInteger(pid) || pid <= 1 || !(await isPostmaster(pid, layout))) return undefined
  return { pid, port: Number(lines[3]) }
}

/**
 * Makes a postmaster.pid that names an unrelated process (the number was used again, after a power loss or a
 * `kill -9`) harmless, because PostgreSQL would take that process for a server. The file is not deleted, since its
 * other lines tell PostgreSQL of shared memory that orphaned backends may still use; it is made to name us,
 * because the server that we start knows that its own parent is not a server.
 */
export async function disownPidFile(layout: Layout): Promise<void> {
  const lines = await readPidFile(layout)
  if (lines.length > 0) await writeFile(pidFile(layout), [process.pid, ...lines.slice(1)].join('\n'))
}

/**
 * Sends the signal (SIGINT: fast shutdown; SIGQUIT: at once, as in a crash) and waits for the end, a minute at
 * most: a server that needs longer ends later, and the next start waits for it.
 */
export async function endPostmaster(
  layout: Layout,
  pid: number,
  signal: 'SIGINT' | 'SIGQUIT',
): Promise<void> {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
  const deadline = Date.now() + 60_000
  while ((await isPostmaster(pid, layout)) && Date.now() < deadline) await sleep(20)
}

/** Tells whether the process is a PostgreSQL server on this cluster, by its command line. */
export async function isPostmaster(pid: number, layout: Layout): Promise<boolean> {
  return `${await commandLine(pid)} `.includes(`postgres -D ${layout.cluster} `)
}

async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') {
      return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')
    }
    /* c8 ignore next 2 -- Only where there is no /proc. */
    const { stdout } = await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)])
    return stdout.trimEnd()
  } catch {
    return ''
  }
}

async function readPidFile(layout: Layout): Promise<string[]> {
  const text = await readFile(pidFile(layout), 'utf8').catch(() => '')
  return text === '' ? [] : text.split('\n')
}

function pidFile(layout: Layout): string {
  return join(layout.cluster, 'postmaster.pid')
}
