import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { NOTHING, type Progress } from '#lib/object-store/appending.ts'
import { LocalStore } from '#lib/object-store/local-store.ts'
import type { ObjectStore } from '#lib/object-store/object-store.ts'
import { S3Store } from '#lib/object-store/s3-store.ts'
import { startS3 } from '#test/support/s3-server.ts'

const [ONE, TWO] = ['1'.repeat(32), '2'.repeat(32)]

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

async function textOf(stream: Readable): Promise<string> {
  return Buffer.concat(await stream.toArray()).toString()
}

async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys: string[] = []
  for await (const key of store.list()) keys.push(key)
  return keys
}

/** The behaviour of every store. */
async function examine(t: Test, store: ObjectStore): Promise<void> {
  await store.write(ONE, pieces('abc', '', 'defg'), 7)
  t.equal(await textOf(await store.read(ONE)), 'abcdefg')
  t.equal(await textOf(await store.read(ONE, { start: 2, end: 4 })), 'cde')
  t.equal(await store.size(ONE), 7)
  await store.write(TWO, pieces('of unknown ', 'length'))
  t.equal(await textOf(await store.read(TWO)), 'of unknown length')
  t.same((await keysOf(store)).sort(), [ONE, TWO])
  const empty = '3'.repeat(32)
  await store.write(empty, pieces(), 0)
  t.equal(await store.size(empty), 0)
  for (const key of [ONE, TWO, empty]) await store.remove(key)
  await store.remove(ONE)
  t.equal(await store.size(ONE), undefined)
  await t.rejects(store.read(ONE), { name: 'ObjectMissing' })

  const failure = new Error('the source failed')
  async function* failing() {
    yield Buffer.from('abc')
    throw failure
  }
  for (const length of [undefined, 7]) {
    await t.rejects(store.write(TWO, failing(), length), { message: failure.message })
    t.equal(await store.size(TWO), undefined, 'what is not whole is not there')
    await store.remove(TWO)
  }
  t.same(await keysOf(store), [])
  for (const key of ['../../etc/passwd', '', 'A'.repeat(32), '1'.repeat(33)])
    await t.rejects(async () => store.read(key), TypeError)
}

/** Objects that come in several requests, from whatever process. */
async function examineAppending(t: Test, store: ObjectStore): Promise<void> {
  const send = async (progress: Progress, bytes: Buffer, { settles = true } = {}) => {
    const appending = await store.resume(ONE, progress)
    // It is freed.
    await appending.write(Buffer.from(bytes))
    const reached = settles ? await appending.settle() : progress
    await appending.close()
    return reached
  }
  const finish = async (progress: Progress) => {
    const appending = await store.resume(ONE, progress)
    t.equal((await appending.settle()).offset, progress.offset)
    await appending.finish()
    await appending.close()
  }
  const part = Buffer.alloc(5 * 1024 * 1024, 'part of it ')
  let progress = NOTHING
  for (const _ of ['below a part', 'beyond it']) {
    progress = await send(progress, part)
    await send(progress, Buffer.from('what nobody settles is not there'), { settles: false })
  }
  t.equal(progress.offset, 2 * part.length)
  t.same(await keysOf(store), [ONE], 'what is unfinished can be found')
  // A database keeps it as JSON.
  await finish(JSON.parse(JSON.stringify(progress)))
  await finish(progress)
  const whole = Buffer.concat(await (await store.read(ONE)).toArray())
  t.ok(whole.equals(Buffer.concat([part, part])))
  await store.remove(ONE)

  await finish(await send(NOTHING, Buffer.from('little')))
  t.equal(await textOf(await store.read(ONE)), 'little')
  await store.remove(ONE)
  await finish(NOTHING)
  t.equal(await store.size(ONE), 0)
  await store.remove(ONE)

  // The next one says no less than was said before, whatever it has sent.
  const begun = await send(NOTHING, Buffer.concat([part, part]))
  const next = await store.resume(ONE, begun)
  t.equal((await next.sync()).offset, begun.offset)
  await next.write(Buffer.from('some more'))
  t.ok((await next.sync()).offset >= begun.offset)
  t.equal(next.isOutgrown, false)
  await next.settle()
  await next.close()
  // What was settled was not noted: it goes on from the one before, or from what had to be noted.
  const other = await store.resume(ONE, begun)
  await other.write(Buffer.from(part))
  t.ok((await other.sync()).offset >= begun.offset)
  await other.write(Buffer.from(part))
  t.equal(
    other.isOutgrown,
    store.kind === 's3',
    'two whole parts are there, and the last needs one and its tail',
  )
  const noted = await other.sync()
  t.ok(noted.offset >= begun.offset)
  await other.settle()
  await other.close()
  const end = Buffer.concat([part, part, part, part]).subarray(noted.offset)
  await finish(await send(noted, end))
  t.ok(Buffer.concat(await (await store.read(ONE)).toArray()).equals(Buffer.concat([part, part, part, part])))
  await store.remove(ONE)

  await send(NOTHING, Buffer.concat([part, part]))
  await store.remove(ONE)
  t.same(await keysOf(store), [])
  await t.rejects(store.resume(ONE, { offset: 3, state: { id: null, tags: [], tail: '"x"' } }))
  await store.remove(ONE)
}

t.test('a directory', async (t) => {
  const directory = join(t.testdir(), 'files')
  const store = new LocalStore(directory)
  t.same(await keysOf(store), [], 'which need not be there')
  await examine(t, store)
  await examineAppending(t, store)
  const cut = await store.resume(ONE, NOTHING)
  await cut.write(Buffer.from('ab'))
  await cut.settle()
  await cut.close()
  await t.rejects(store.resume(ONE, { offset: 3, state: null }), {
    name: 'ObjectStoreError',
    message: /is not as long as it was/,
  })
  await store.remove(ONE)
  const large = Buffer.alloc(5 * 1024 * 1024, 'abc')
  await store.write(ONE, Readable.from([large.subarray(0, 3_000_001), large.subarray(3_000_001)]))
  const path = join(directory, '11', ONE)
  t.ok(large.equals(await readFile(path)))
  t.equal((await stat(path)).mode & 0o777, 0o600)
  t.equal((await stat(directory)).mode & 0o777, 0o700)
  t.same(await readdir(join(directory, '11')), [ONE])
  await mkdir(join(directory, 'lost+found'))
  await mkdir(join(directory, '22'), { recursive: true })
  await writeFile(join(directory, '22', `${TWO}.part`), 'left by a crash')
  await writeFile(join(directory, '22', '.directory'), 'of a file manager')
  await writeFile(join(directory, '22', ONE), 'not in its folder')
  t.same((await keysOf(store)).sort(), [ONE, TWO], 'unfinished ones are listed, others are not')
})

t.test('a bucket', async (t) => {
  const s3 = await startS3(t)
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = s3.credentials
  const options = { bucket: 'b', prefix: 'p/', accessKeyId, secretAccessKey, region: 'eu-test-1' }
  const store = new S3Store({ ...options, endpoint: s3.endpoint, memory: 1 })
  await examine(t, store)
  await examineAppending(t, store)
  t.equal(s3.uploads.size, 0, 'no upload in parts is left')
  await store.write(ONE, pieces('x'.repeat(9 * 1024 * 1024)))
  t.equal(s3.objects.get(`b/p/${ONE}`)?.length, 9 * 1024 * 1024)

  s3.busy('PUT', 1)
  await t.rejects(store.write(TWO, pieces('abc'), 3), { name: 'ObjectStoreError', message: /503 SlowDown/ })
  const stranger = new S3Store({ ...options, secretAccessKey: 'x', endpoint: s3.endpoint, memory: 1 })
  await t.rejects(stranger.write(TWO, pieces('abc'), 3), { message: /403 SignatureDoesNotMatch/ })
  const closed = new S3Store({ ...options, endpoint: 'http://127.0.0.1:1', memory: 1 })
  await t.rejects(closed.write(TWO, pieces('abc'), 3), {
    name: 'ObjectStoreError',
    message: /cannot be reached/,
  })
  await t.rejects(closed.size(ONE), { name: 'ObjectStoreError', message: /cannot be reached/ })
})

t.test('what was written is freed, but for what shares its memory with others', async (t) => {
  const store = new LocalStore(t.testdir({}))
  const [own, shared] = [Buffer.from(new ArrayBuffer(100_000)), Buffer.alloc(200).subarray(100)]
  await store.write(ONE, Readable.from([own, shared]))
  t.equal(own.length, 0)
  t.equal(shared.length, 100)
  t.equal(await store.size(ONE), 100_100)
})

t.test('a store that closes its connections is read to the end, however slowly', async (t) => {
  const content = Buffer.alloc(3_000_000, 'x')
  let isCut = false
  let busy = 2
  const server = createServer((_request, response) => {
    if (busy-- > 0) return response.writeHead(503, { connection: 'close' }).end('not now')
    response.writeHead(200, { connection: 'close', 'content-length': content.length })
    if (!isCut) return response.end(content)
    response.write(content.subarray(0, 2_000_000), () => response.destroy())
    return response
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const endpoint = typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : ''
  const keys = { accessKeyId: 'id', secretAccessKey: 'key' }
  const store = new S3Store({ bucket: 'bucket', prefix: '', endpoint, ...keys, memory: 1 })
  const slowly = async (stream: Readable) => {
    // All of it has come, and the connection is closed, before it is read.
    await sleep(300)
    let length = 0
    for await (const piece of stream) length += piece.length
    return length
  }
  t.equal(await slowly(await store.read(ONE)), content.length)
  isCut = true
  await t.rejects(
    store.read(ONE).then(slowly),
    { code: 'ECONNRESET' },
    'and what is cut is not taken for the whole',
  )
})
