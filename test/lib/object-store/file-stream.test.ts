import { randomFillSync } from 'node:crypto'
import { open, readdir, readlink, truncate, writeFile } from 'node:fs/promises'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { FileStream } from '#lib/object-store/file-stream.ts'
import { eventually } from '#test/support/eventually.ts'

const CONTENT = randomFillSync(Buffer.alloc(3_000_001))

async function makeFile(t: Test): Promise<string> {
  const path = join(t.testdir({}), 'file')
  await writeFile(path, CONTENT)
  return path
}

const streamOf = async (path: string, start = 0, end = CONTENT.length - 1) =>
  new FileStream(await open(path), { start, end })

/** Answers with a stream, and asks for it. */
async function ask(t: Test, stream: FileStream): Promise<IncomingMessage> {
  const server = createServer((_request, response) => {
    response.once('close', () => stream.destroy())
    stream.once('error', () => response.destroy())
    stream.pipe(response)
  })
  t.teardown(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent: false }, resolve).on('error', reject)
  })
}

/** Whether this process has the file open; undefined where the system does not say. */
async function isOpen(path: string): Promise<boolean | undefined> {
  const handles = await readdir('/proc/self/fd').catch(() => undefined)
  const paths = handles?.map((handle) => readlink(join('/proc/self/fd', handle)).catch(() => ''))
  return paths && (await Promise.all(paths)).includes(path)
}

t.test('an answer has all bytes of the file, or of a part of it', async (t) => {
  const path = await makeFile(t)
  t.ok((await buffer(await ask(t, await streamOf(path)))).equals(CONTENT))
  const part = await buffer(await ask(t, await streamOf(path, 10, 1_000_000)))
  t.ok(part.equals(CONTENT.subarray(10, 1_000_001)))
  await eventually(async () => !(await isOpen(path)))
})

t.test('also for somebody who reads slowly', async (t) => {
  const answer = await ask(t, await streamOf(await makeFile(t)))
  const pieces: Buffer[] = []
  for await (const piece of answer) {
    pieces.push(piece)
    if (pieces.length % 8 === 0) await sleep(5)
  }
  t.ok(Buffer.concat(pieces).equals(CONTENT))
})

t.test('all other readers may keep what they read', async (t) => {
  const path = await makeFile(t)
  t.ok((await buffer(await streamOf(path))).equals(CONTENT))
  const through = new PassThrough()
  const [read] = await Promise.all([buffer(through), pipeline(await streamOf(path), through)])
  t.ok(read.equals(CONTENT))
  t.equal((await buffer(await streamOf(path, 0, -1))).length, 0, 'nothing of an empty one')
})

t.test('the file is closed when who reads it goes', async (t) => {
  const path = await makeFile(t)
  const answer = await ask(t, await streamOf(path))
  answer.once('data', () => answer.destroy())
  await eventually(async () => !(await isOpen(path)))
})

t.test('an answer ends early where the file does', async (t) => {
  const path = await makeFile(t)
  const stream = await streamOf(path)
  await truncate(path, 1_000_000)
  await t.rejects(ask(t, stream).then(buffer), { code: 'ECONNRESET' })
  await t.rejects(buffer(await streamOf(path)), { name: 'ObjectStoreError' })
  await eventually(async () => !(await isOpen(path)))
})
