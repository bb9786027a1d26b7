import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import t from 'tap'
import type { DirectUpload } from '#schemas/uploads.ts'
import { verifyUploadJob } from '#services/uploads/jobs.ts'
import { createFile, createFullFile, keysOf } from '#test/support/files.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startMoto, WITHOUT_MOTO } from '#test/support/moto.ts'
import { appendTo, createUpload } from '#test/support/uploads.ts'
import { startVersitygw, WITHOUT_VERSITYGW } from '#test/support/versitygw.ts'

const RUN = { id: 'test', attempt: 1, signal: new AbortController().signal, complete: async () => undefined }
const MIB = 1024 * 1024
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** moto looks at no signature, and knows no `response-content-type`. */
const SERVERS = [
  { name: 'versitygw', skip: WITHOUT_VERSITYGW, start: startVersitygw, isStrict: true },
  { name: 'moto', skip: WITHOUT_MOTO, start: startMoto, isStrict: false },
] as const

interface Request {
  headers: Record<string, string>
}

/**
 * Sends what the SDK makes of a request to a URL that was signed for it.
 *
 * @param keeps whether with the headers that the SDK adds, which the signature does not name
 */
function bySigned(url: string, keeps: boolean) {
  const { hostname, port, pathname, searchParams } = new URL(url)
  const place = { hostname, port: Number(port), path: pathname, query: Object.fromEntries(searchParams) }
  return {
    sign: async <R extends Request>(request: R): Promise<R> => {
      const headers = Object.entries(request.headers).filter(
        ([name]) => keeps || !/^(?:x-amz|amz)-/i.test(name),
      )
      return Object.assign(request, place, { headers: Object.fromEntries(headers) })
    },
  }
}

// With its default settings the SDK computes checksums of what it sends, and checks those of what it gets.
for (const { name, skip, start, isStrict } of SERVERS) {
  t.test(`@aws-sdk/client-s3 and ${name}`, { skip }, async (t) => {
    const env = await start(t)
    const own = { APP_FILES__S3__DOWNLOAD: 'redirect', APP_ROLE: 'web' }
    const { app, db, request, signUp } = await createTestApp(t, { ...env, ...own })
    const as = await signUp()
    const { store } = app.ctx.storage
    if (store === undefined) throw new TypeError('there is a store')
    const options: S3ClientConfig = {
      endpoint: env['APP_FILES__S3__ENDPOINT'] ?? '',
      region: 'us-east-1',
      credentials: {
        accessKeyId: env['APP_FILES__S3__ACCESS_KEY_ID'] ?? '',
        secretAccessKey: env['APP_FILES__S3__SECRET_ACCESS_KEY'] ?? '',
      },
      forcePathStyle: true,
    }
    const sdk = new S3Client(options)
    t.teardown(() => sdk.destroy())
    const Bucket = env['APP_FILES__S3__BUCKET'] ?? ''
    const signedBy = (url: string, keeps = false) => {
      const client = new S3Client({ ...options, signer: bySigned(url, keeps) })
      t.teardown(() => client.destroy())
      return client
    }
    const keyOf = async (file: string) => {
      const rows = await db.query<{ key: string }>('SELECT key FROM files WHERE id = $1', [
        file.split('/').at(-1),
      ])
      return rows[0]?.key ?? ''
    }

    await t.test('reads the objects that the service wrote', async (t) => {
      const large = randomBytes(17 * MIB)
      const whole = await createFullFile(app, as, 'of known length')
      const inParts = await createFile(app, as)
      await app.inject({
        method: 'PUT',
        url: `${inParts}/content`,
        headers: { ...as.headers, 'transfer-encoding': 'chunked' },
        // The store frees what it is given.
        payload: Readable.from([Buffer.from(large)]),
      })
      const resumed = await createUpload(app, as, large.length)
      await appendTo(app, as, resumed, { offset: 0, bytes: large.subarray(0, 9 * MIB) })
      await appendTo(app, as, resumed, { offset: 9 * MIB, bytes: large.subarray(9 * MIB) })
      for (const [file, bytes] of [
        [whole, Buffer.from('of known length')],
        [inParts, large],
        [resumed.replace('/uploads/', '/files/'), large],
      ] as const) {
        const Key = await keyOf(file)
        const { Body, ContentLength } = await sdk.send(new GetObjectCommand({ Bucket, Key }))
        t.equal(ContentLength, bytes.length)
        t.equal(sha256((await Body?.transformToByteArray()) ?? Buffer.alloc(0)), sha256(bytes))
        t.match(await sdk.send(new HeadObjectCommand({ Bucket, Key })), { ContentLength: bytes.length })
        const part = await sdk.send(new GetObjectCommand({ Bucket, Key, Range: 'bytes=3-7' }))
        t.equal(await part.Body?.transformToString('latin1'), bytes.toString('latin1', 3, 8))
      }
      const { Contents = [] } = await sdk.send(new ListObjectsV2Command({ Bucket }))
      t.same(Contents.map(({ Key }) => Key).sort(), await keysOf(app))
    })

    await t.test('writes objects that the service reads', async (t) => {
      const bytes = randomBytes(300_000)
      for (const Body of [bytes, Readable.from([bytes])]) {
        const Key = randomBytes(16).toString('hex')
        await sdk.send(new PutObjectCommand({ Bucket, Key, Body, ContentLength: bytes.length }))
        t.equal(await store.size(Key), bytes.length)
        t.equal(sha256(Buffer.concat(await (await store.read(Key)).toArray())), sha256(bytes))
        await sdk.send(new DeleteObjectCommand({ Bucket, Key }))
        t.equal(await store.size(Key), undefined)
      }
    })

    await t.test('sends parts to the URLs of a direct upload', async (t) => {
      const content = randomBytes(16 * MIB + 5)
      const payload = { name: 'film.mp4', size: content.length }
      const made = await request({ method: 'POST', url: '/api/v1/direct-uploads', as, payload })
      const { id, part_size, parts }: DirectUpload = made.json()
      for (const { number, url } of parts) {
        const Body = content.subarray((number - 1) * part_size, number * part_size)
        // What it is about, the URL says.
        const about = { Bucket, Key: 'unknown', UploadId: 'unknown', PartNumber: number }
        const part = new UploadPartCommand({ ...about, Body })
        // As S3 has it: every header x-amz-... must be signed, and the SDK's checksums are not. Of the small part, for a
        // gateway may end the connection before the SDK has sent a large one and reads why.
        const isSmall = number === parts.length
        if (isStrict && isSmall) await t.rejects(signedBy(url, true).send(part), { name: 'AccessDenied' })
        await signedBy(url).send(part)
      }
      const completed = await request({ method: 'POST', url: `/api/v1/direct-uploads/${id}/complete`, as })
      t.equal(completed.statusCode, 202, completed.body)
      await verifyUploadJob.handler(app.ctx, { id, user: as.user.id }, RUN)
      const file = (await request({ url: `/api/v1/files/${id}`, as })).json()
      t.match(file, { status: 'ready', size: content.length, sha256: sha256(content) })
    })

    await t.test('reads at the URL that a content leads to', async (t) => {
      const file = await createFullFile(app, as, 'from the store itself', { name: 'a.txt' })
      const { location } = (await request({ url: `${file}/content`, as })).headers
      const read = new GetObjectCommand({ Bucket, Key: 'unknown' })
      const { Body, ContentType } = await signedBy(String(location)).send(read)
      t.equal(await Body?.transformToString(), 'from the store itself')
      if (isStrict) t.equal(ContentType, 'text/plain; charset=utf-8')
    })
  })
}
