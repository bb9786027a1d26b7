import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { ObjectMissing } from '#lib/object-store/object-store-error.ts'
import { S3Bucket } from '#lib/object-store/s3-bucket.ts'
import { S3Direct } from '#lib/object-store/s3-direct.ts'
import { S3Presigner } from '#lib/object-store/s3-presigner.ts'
import { listenOn } from '#test/support/otlp-receiver.ts'

const KEY = '0123456789abcdef0123456789abcdef'
const OPTIONS = {
  bucket: 'b',
  prefix: 'files/',
  accessKeyId: 'AKID',
  secretAccessKey: 'secret',
  sessionToken: 'token',
  region: 'eu-test-1',
}

type Reply = readonly [status: number, body: string, headers?: Record<string, string>]

/** A store that answers with what the test says, and what it was asked. */
async function rig(t: Test, answer: (request: IncomingMessage, url: URL) => Reply) {
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://a')
    asked.push(`${request.method} ${url.pathname}${url.search} ${await text(request)}`.trim())
    const [status, body, headers = {}] = answer(request, url)
    response.writeHead(status, headers).end(request.method === 'HEAD' ? '' : body)
  })
  const options = { ...OPTIONS, endpoint: await listenOn(t, server) }
  const presigner = new S3Presigner('https://files.example.com/b', options)
  return { direct: new S3Direct(new S3Bucket(options), presigner), asked }
}

/** Parts of these sizes, as a store lists them, a page each. */
function pages(sizes: readonly number[]) {
  return (_request: IncomingMessage, { searchParams }: URL): Reply => {
    if (!searchParams.has('part-number-marker')) return [200, '<R></R>']
    const at = Number(searchParams.get('part-number-marker'))
    const part = `<Part><PartNumber>${at + 1}</PartNumber><Size>${sizes[at]}</Size><ETag>&quot;tag ${at + 1}&quot;</ETag></Part>`
    const next = `<IsTruncated>true</IsTruncated><NextPartNumberMarker>${at + 1}</NextPartNumberMarker>`
    return [200, `<R>${part}${at + 1 < sizes.length ? next : '<IsTruncated>false</IsTruncated>'}</R>`]
  }
}

const MISSING: Reply = [404, '<Error><Code>NoSuchUpload</Code></Error>']

t.test('a URL for one part of one length, until its time is over', async (t) => {
  const { direct, asked } = await rig(t, () => MISSING)
  const url = new URL(await direct.sign(KEY, 'an id', { number: 7, bytes: 1234, seconds: 60 }))
  t.strictSame(asked, [], 'nobody is asked')
  t.equal(url.origin + url.pathname, `https://files.example.com/b/files/${KEY}`)
  const {
    'X-Amz-Signature': signature,
    'X-Amz-Date': at = '',
    ...query
  } = Object.fromEntries(url.searchParams)
  const scope = `${at.slice(0, 8)}/eu-test-1/s3/aws4_request`
  t.strictSame(query, {
    partNumber: '7',
    uploadId: 'an id',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `AKID/${scope}`,
    'X-Amz-Expires': '60',
    'X-Amz-Security-Token': 'token',
    'X-Amz-SignedHeaders': 'content-length;host',
  })
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
  const canonical = [
    'PUT',
    url.pathname,
    [...url.searchParams]
      .filter(([name]) => name !== 'X-Amz-Signature')
      .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
      .sort()
      .join('&'),
    'content-length:1234',
    'host:files.example.com',
    '',
    'content-length;host',
    'UNSIGNED-PAYLOAD',
  ].join('\n')
  const digest = createHash('sha256').update(canonical).digest('hex')
  const key = [at.slice(0, 8), 'eu-test-1', 's3', 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    'AWS4secret',
  )
  const signed = createHmac('sha256', key)
    .update(`AWS4-HMAC-SHA256\n${at}\n${scope}\n${digest}`)
    .digest('hex')
  t.equal(signature, signed)
})

t.test('an upload is begun, and completed when all parts have their sizes', async (t) => {
  const begun = await rig(t, () => [200, '<R><UploadId>an id</UploadId></R>'])
  t.equal(await begun.direct.begin(KEY), 'an id')
  t.match(begun.asked, [`POST /b/files/${KEY}?uploads`])
  const { direct, asked } = await rig(t, pages([5, 6, 3]))
  t.strictSame(await direct.complete(KEY, 'an id', [5, 6, 3]), [])
  t.strictSame(
    asked.slice(0, 3),
    [0, 1, 2].map((at) => `GET /b/files/${KEY}?uploadId=an+id&part-number-marker=${at}`),
  )
  t.equal(asked.length, 4)
  t.match(asked[3], new RegExp(`^POST /b/files/${KEY}\\?uploadId=an(\\+|%20)id `))
  const named = [...String(asked[3]).matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g)]
  t.strictSame(
    named.map(([, number, tag]) => [number, tag]),
    ['1', '2', '3'].map((number) => [number, `&quot;tag ${number}&quot;`]),
  )
})

t.test('one whose parts are missing or have other sizes is not', async (t) => {
  const { direct, asked } = await rig(t, pages([5, 6, 3]))
  t.strictSame(await direct.complete(KEY, 'an id', [5, 7, 3, 1]), [2, 4])
  t.equal(asked.filter((line) => line.startsWith('POST')).length, 0)
})

t.test('one that somebody has completed already is, if the object is as long', async (t) => {
  const there = (length: number) =>
    rig(t, ({ method }) => (method === 'HEAD' ? [200, '', { 'content-length': `${length}` }] : MISSING))
  t.strictSame(await (await there(14)).direct.complete(KEY, 'an id', [5, 6, 3]), [])
  await t.rejects((await there(13)).direct.complete(KEY, 'an id', [5, 6, 3]), ObjectMissing)
  const gone = await rig(t, () => MISSING)
  await t.rejects(gone.direct.complete(KEY, 'an id', [5]), ObjectMissing)
  const broken = await rig(t, () => [403, '<Error><Code>AccessDenied</Code></Error>'])
  await t.rejects(broken.direct.complete(KEY, 'an id', [5]), {
    name: 'ObjectStoreError',
    message: /AccessDenied/,
  })
  t.notOk(broken.asked.some((line) => line.startsWith('HEAD')))
})

t.test('what is not a key never gets into a path', async (t) => {
  const { direct, asked } = await rig(t, () => MISSING)
  const bad = '../0123456789abcdef'
  await t.rejects(async () => direct.begin(bad), TypeError)
  await t.rejects(async () => direct.sign(bad, 'i', { number: 1, bytes: 1, seconds: 1 }), TypeError)
  await t.rejects(direct.complete(bad, 'i', [1]), TypeError)
  t.strictSame(asked, [])
})
