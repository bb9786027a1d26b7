import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Generator, type Load, type LoadResult, type RequestTemplate, reserveNumbers } from './load.ts'

const run = promisify(execFile)
const SCRIPT = join(import.meta.dirname, 'wrk.lua')

/** Numbers for one run; more than it can use. */
const NUMBERS = 10_000_000

/** Seconds after which wrk abandons a response; slower ones must still be measured. */
const TIMEOUT = 10

/** The summary that wrk.lua prints. */
interface Summary {
  requests: number
  duration_us: number
  p50_us: number
  p99_us: number
  status: number
  connect: number
  read: number
  write: number
  timeout: number
}

/** Returns the generator, or undefined when wrk is not on the PATH. */
export async function findWrk(directory: string): Promise<Generator | undefined> {
  // wrk -v prints its version and exits with 1.
  const output = await run('wrk', ['-v']).catch((error: unknown) => textOf(error))
  const version = typeof output === 'string' ? /^wrk (?:debian\/)?(\S+)/.exec(output)?.[1] : undefined
  if (version === undefined) return undefined
  return { name: `wrk ${version}`, run: (load) => runWrk(directory, load) }
}

async function runWrk(directory: string, load: Load): Promise<LoadResult> {
  const threads = threadsFor(availableParallelism(), load.connections)
  const first = reserveNumbers(NUMBERS)
  const file = join(directory, `wrk-${first}.lua`)
  await writeFile(file, luaRequests(load.requests), { mode: 0o600 })
  try {
    const { stdout } = await run(
      'wrk',
      [
        `-t${threads}`,
        `-c${load.connections}`,
        `-d${load.seconds}s`,
        `--timeout=${TIMEOUT}s`,
        `-s${SCRIPT}`,
        load.origin,
      ],
      {
        env: {
          PATH: process.env['PATH'],
          BENCH_LOAD: file,
          BENCH_FIRST: String(first),
          BENCH_THREADS: String(threads),
        },
      },
    )
    return parseWrk(stdout)
  } finally {
    await rm(file)
  }
}

/** One thread of wrk does what two processes of ours can take; the cores are for the server. */
export function threadsFor(cores: number, connections: number): number {
  return Math.min(connections, Math.max(1, Math.floor(cores / 4)))
}

/**
 * Reads what wrk.lua printed.
 *
 * @throws Error when the line is not there
 */
export function parseWrk(stdout: string): LoadResult {
  const line = stdout.split('\n').find((text) => text.startsWith('{'))
  if (line === undefined) throw new Error(`wrk gave no summary: ${stdout}`)
  const summary: Summary = JSON.parse(line)
  return {
    requests: summary.requests - summary.status,
    seconds: summary.duration_us / 1e6,
    p50: summary.p50_us / 1000,
    p99: summary.p99_us / 1000,
    refused: summary.status,
    errors: summary.connect + summary.read + summary.write + summary.timeout,
  }
}

/** The requests as a Lua chunk that returns them. */
export function luaRequests(requests: readonly RequestTemplate[]): string {
  const tables = requests.map(({ method, path, headers, body }) => {
    const fields = Object.entries(headers).map(([name, value]) => `[${luaText(name)}]=${luaText(value)}`)
    const content = body === undefined ? '' : `,body=${luaText(body)}`
    return `{method=${luaText(method)},path=${luaText(path)},headers={${fields.join(',')}}${content}}`
  })
  return `return {\n${tables.join(',\n')}\n}\n`
}

function luaText(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
    return isPlain ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, '0')}`
  })
  return `"${bytes.join('')}"`
}

function textOf(error: unknown): string | undefined {
  if (!(error instanceof Error && 'stdout' in error && 'stderr' in error)) return undefined
  return `${error.stdout}${error.stderr}`
}
