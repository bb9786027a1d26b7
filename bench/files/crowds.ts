import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { median, quantile } from '../statistics.ts'
import type { FilesStage } from './stage.ts'
import { createContent, say } from './transfers.ts'

/** Uploads at once whose memory is measured, and while which reads are. */
const [CROWD, BESIDE_READS] = [32, 16]

/** Bytes of each of them. */
const BYTES = 32 * 1024 * 1024

/** Bytes a second of an upload beside reads, as of a client with a good line. */
const LINE = 2 * 1024 * 1024

/** Reads a second, and seconds for which there are. */
const [RATE, SECONDS] = [200, 8]

/** Small files, their bytes, and clients that send them. */
const [SMALL, SMALL_BYTES, CLIENTS] = [1000, 10_000, 16]

const ROUNDS = 3

interface Sent {
  readonly method?: string
  readonly body?: Buffer | string
  readonly type?: string
  readonly agent?: Agent
}

/** Sends a request and reads its answer. */
function send(url: string, token: string, { method = 'GET', body, type, agent }: Sent = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
    }
    const sent = request(url, { method, headers, ...(agent === undefined ? {} : { agent }) }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => {
        const { statusCode = 0 } = response
        if (statusCode < 300) resolve(text)
        else reject(new Error(`${method} ${url}: ${statusCode} ${text}`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Sends a content, no faster than so many bytes a second. */
async function upload({ service, token }: FilesStage, bytes: number, speed: number): Promise<void> {
  const piece = Buffer.alloc(64 * 1024, 'x')
  const url = await createContent(service.origin, token)
  await new Promise<void>((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-length': bytes }
    const sent = request(url, { method: 'PUT', headers }, (response) => response.resume().on('end', resolve))
    sent.on('error', reject)
    const begin = performance.now()
    const next = (at: number): void => {
      if (at >= bytes) return void sent.end()
      const goesOn = sent.write(piece.subarray(0, bytes - at))
      const late = begin + ((at + piece.length) / speed) * 1000 - performance.now()
      if (late > 1) setTimeout(next, late, at + piece.length)
      else if (goesOn) setImmediate(next, at + piece.length)
      else sent.once('drain', () => next(at + piece.length))
    }
    next(0)
  })
}

/** Memory that many uploads at once add to the process, once it has had as many before. */
export async function measureMemory(stage: FilesStage): Promise<void> {
  const crowd = () => Promise.all(Array.from({ length: CROWD }, () => upload(stage, BYTES, LINE * 4)))
  const idle = (await stage.service.usage())?.memory ?? Number.NaN
  let highest = 0
  const watching = setInterval(async () => {
    highest = Math.max(highest, (await stage.service.usage())?.memory ?? 0)
  }, 100)
  for (let round = 0; round < ROUNDS; round++) {
    highest = 0
    await crowd()
    say(
      `${CROWD} uploads of ${BYTES / 1024 ** 2} MiB at once: ${mebibytes(highest)} MiB at most, ` +
        `${mebibytes(idle)} before the first`,
    )
  }
  clearInterval(watching)
}

const mebibytes = (bytes: number) => Math.round(bytes / 1024 ** 2)

/** Latencies of reads that come at a steady rate, whatever becomes of those before. */
async function readSteadily({ service, token }: FilesStage, agent: Agent): Promise<number[]> {
  const times: number[] = []
  const reads: Promise<void>[] = []
  const begin = performance.now()
  for (let n = 0; n < RATE * SECONDS; n++) {
    const due = begin + (n * 1000) / RATE
    const early = due - performance.now()
    if (early > 1) await sleep(early)
    // From when it was due, so that a late start counts too.
    const read = send(`${service.origin}/api/v1/users/me`, token, { agent })
    reads.push(read.then(() => void times.push(performance.now() - due)))
  }
  await Promise.all(reads)
  return times
}

/** p99 of reads alone, and while uploads run. */
export async function measureReads(stage: FilesStage): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  await readSteadily(stage, agent)
  const ratios: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const alone = await readSteadily(stage, agent)
    const bytes = LINE * (SECONDS + 1)
    const uploads = Array.from({ length: BESIDE_READS }, () => upload(stage, bytes, LINE))
    await sleep(500)
    const beside = await readSteadily(stage, agent)
    await Promise.all(uploads)
    const [before, during] = [quantile(alone, 0.99), quantile(beside, 0.99)]
    ratios.push(during / before)
    say(
      `${RATE} reads a second: p50 ${median(alone).toFixed(2)} and p99 ${before.toFixed(2)} ms alone, ` +
        `${median(beside).toFixed(2)} and ${during.toFixed(2)} ms beside ${BESIDE_READS} uploads of 2 MiB/s`,
    )
  }
  agent.destroy()
  say(`p99 of reads beside ${BESIDE_READS} uploads / alone: ${median(ratios).toFixed(2)}`)
}

/** Runs work so many times in all, by several at once; returns how many a second. */
async function rateOf(count: number, work: () => Promise<unknown>): Promise<number> {
  let left = count
  const begin = performance.now()
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (left-- > 0) await work()
    }),
  )
  return (count * 1000) / (performance.now() - begin)
}

/** Small files, each created and sent, beside a write of JSON. */
export async function measureSmallFiles({ service, token, org }: FilesStage): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  const [files, projects] = ['files', `organizations/${org}/projects`].map(
    (path) => `${service.origin}/api/v1/${path}`,
  )
  const json = { method: 'POST', type: 'application/json', agent }
  const content = Buffer.alloc(SMALL_BYTES, 'x')
  let name = 0
  const write = () => send(projects ?? '', token, { ...json, body: `{"name":"project ${name++}"}` })
  const store = async () => {
    const { id }: { id: string } = JSON.parse(
      await send(files ?? '', token, { ...json, body: '{"name":"a"}' }),
    )
    const body = { method: 'PUT', type: 'text/plain', body: content, agent }
    await send(`${files}/${id}/content`, token, body)
  }
  await rateOf(200, write)
  await rateOf(200, store)
  const ratios: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const [written, stored] = [await rateOf(SMALL, write), await rateOf(SMALL, store)]
    ratios.push(stored / written)
    say(`${Math.round(stored)} small files a second, each in two requests; ${Math.round(written)} projects`)
  }
  agent.destroy()
  say(`small files / JSON writes: ${median(ratios).toFixed(2)}`)
}
