import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { median } from '../statistics.ts'
import type { ServerProcess } from '../system/server-process.ts'
import type { FilesStage } from './stage.ts'

const run = promisify(execFile)

const TUS = ['-H', 'Tus-Resumable: 1.0.0']

export const say = (line: string) => process.stdout.write(`${line}\n`)

/** A way to send or read the large file, and what it took. */
interface Way {
  readonly name: string
  /** Servers whose processor time it is. */
  readonly servers: readonly ServerProcess[]
  /** Returns the seconds that the transfer itself took. */
  transfer(): Promise<number>
}

interface Result {
  readonly seconds: number[]
  readonly cpu: number[]
}

/** Runs curl, which costs the same for all, and returns the seconds that it took. */
async function curl(...args: readonly string[]): Promise<number> {
  const format = [
    '--silent',
    '--show-error',
    '--fail',
    '--write-out',
    '%{time_total}',
    '--output',
    '/dev/null',
  ]
  const { stdout } = await run('curl', [...format, ...args])
  return Number(stdout)
}

/** Creates an upload by tus at a server, and returns its URL. */
async function createTusUpload(endpoint: string, bytes: number, token?: string): Promise<string> {
  const headers = {
    'tus-resumable': '1.0.0',
    'upload-length': String(bytes),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  const made = await fetch(endpoint, { method: 'POST', headers })
  if (made.status !== 201) throw new Error(`${endpoint}: ${made.status} ${await made.text()}`)
  return new URL(String(made.headers.get('location')), endpoint).href
}

/** Creates a file of the service, and returns the URL of its content. */
export async function createContent(origin: string, token: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const made = await fetch(`${origin}/api/v1/files`, { method: 'POST', headers, body: '{"name":"a file"}' })
  if (made.status !== 201) throw new Error(`${made.status} ${await made.text()}`)
  const { id }: { id: string } = JSON.parse(await made.text())
  return `${origin}/api/v1/files/${id}/content`
}

const sendTus = (url: string, source: string, ...args: readonly string[]) =>
  curl(
    ...[url, '--request', 'PATCH', '--upload-file', source, ...TUS, '-H', 'Upload-Offset: 0', ...args],
    ...['-H', 'Content-Type: application/offset+octet-stream', '-H', 'Expect:'],
  )

/** One large file, sent in one request. */
export async function measureUploads(stage: FilesStage): Promise<void> {
  const { service, nginx, tusd, source, bytes, token } = stage
  const authorization = ['-H', `Authorization: Bearer ${token}`]
  const ways: Way[] = [
    {
      name: 'tus, durable',
      servers: [service],
      async transfer() {
        const url = await createTusUpload(`${service.origin}/api/v1/uploads`, bytes, token)
        return sendTus(url, source, ...authorization)
      },
    },
    {
      name: 'PUT, durable',
      servers: [service],
      async transfer() {
        const url = await createContent(service.origin, token)
        return curl(url, '--upload-file', source, ...authorization, '-H', 'Expect:')
      },
    },
  ]
  if (tusd !== undefined)
    ways.push({
      name: 'tusd',
      servers: [tusd],
      transfer: async () => sendTus(await createTusUpload(`${tusd.origin}/files/`, bytes), source),
    })
  if (nginx !== undefined)
    ways.push({
      name: 'nginx, WebDAV',
      servers: [nginx],
      transfer: () => curl(`${nginx.origin}/a-file`, '--upload-file', source, '-H', 'Expect:'),
    })
  const results = await inTurn(stage, 'upload', ways)
  compare(results, 'tus, durable', 'tusd')
  compare(results, 'PUT, durable', 'nginx, WebDAV')
}

/** The same file, read. */
export async function measureDownloads(stage: FilesStage): Promise<void> {
  const { service, nginx, front, source, token } = stage
  const authorization = ['-H', `Authorization: Bearer ${token}`]
  const content = await createContent(service.origin, token)
  await curl(content, '--upload-file', source, ...authorization)
  const ways: Way[] = [
    { name: 'service', servers: [service], transfer: () => curl(content, ...authorization) },
  ]
  if (front !== undefined)
    ways.push({
      name: 'X-Accel',
      servers: [service, front],
      transfer: () => curl(content.replace(service.origin, front.origin), ...authorization),
    })
  if (nginx !== undefined) {
    await curl(`${nginx.origin}/a-file`, '--upload-file', source)
    ways.push({ name: 'nginx', servers: [nginx], transfer: () => curl(`${nginx.origin}/a-file`) })
  }
  const results = await inTurn(stage, 'download', ways)
  compare(results, 'service', 'nginx')
  compare(results, 'X-Accel', 'nginx')
}

async function inTurn(
  { rounds, bytes }: FilesStage,
  what: string,
  ways: readonly Way[],
): Promise<ReadonlyMap<string, Result>> {
  const results = new Map(ways.map(({ name }) => [name, { seconds: [], cpu: [] } satisfies Result as Result]))
  for (let round = 0; round < rounds; round++) {
    for (const { name, servers, transfer } of ways) {
      const before = await cpuOf(servers)
      const seconds = await transfer()
      results.get(name)?.seconds.push(seconds)
      results.get(name)?.cpu.push((await cpuOf(servers)) - before)
    }
  }
  for (const [name, { seconds, cpu }] of results) {
    const [middle, gibibytes] = [median(seconds), bytes / 1024 ** 3]
    say(
      `${what} of ${bytes / 1024 ** 2} MiB, ${name}: ${middle.toFixed(2)} s (${seconds.map((one) => one.toFixed(2)).join(', ')}), ` +
        `${Math.round(bytes / middle / 1024 ** 2)} MiB/s, ${(median(cpu) / gibibytes).toFixed(2)} s of processor time a GiB`,
    )
  }
  return results
}

async function cpuOf(servers: readonly ServerProcess[]): Promise<number> {
  let sum = 0
  for (const server of servers) sum += (await server.usage())?.cpu ?? Number.NaN
  return sum
}

/** Says how much faster one is than the other, and how much more processor time it takes, by medians of rounds' ratios. */
function compare(results: ReadonlyMap<string, Result>, name: string, other: string): void {
  const [ours, theirs] = [results.get(name), results.get(other)]
  if (ours === undefined || theirs === undefined) return
  const ratio = (key: keyof Result) =>
    median(ours[key].map((one, round) => one / (theirs[key][round] ?? Number.NaN)))
  say(
    `${name} / ${other}: ${(1 / ratio('seconds')).toFixed(2)} of the speed, ${ratio('cpu').toFixed(2)} of the processor time`,
  )
}
