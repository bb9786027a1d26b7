import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { Test } from 'tap'
import { isPresigned, signatureOf } from './s3-signature.ts'

/** An object store of a test's own, which checks every signature by its own arithmetic. */
export interface TestS3 {
  readonly endpoint: string
  readonly credentials: { AWS_ACCESS_KEY_ID: string; AWS_SECRET_ACCESS_KEY: string }
  /** By `bucket/key`. */
  readonly objects: Map<string, Buffer>
  /** Uploads that were begun and neither completed nor given up. */
  readonly uploads: Map<string, Map<number, Buffer>>
  /** Methods and paths, in order. */
  readonly requests: string[]
  /** Answers the next requests of this method with 503. */
  busy(method: string, times: number): void
  /** How many wait for the parts of an upload to be joined. */
  joining(): number
  /** Lets joining parts take until the function that it returns is called. */
  holdJoins(): () => void
}

interface Reply {
  status: number
  content?: string | Buffer
  etag?: string
  headers?: Record<string, string>
}

const ID = 'AKIDTEST'
const SECRET = 'a secret of the test/with+signs'
const PAGE = 3

/** Starts it on loopback; it ends with `t`. */
export async function startS3(t: Test): Promise<TestS3> {
  const objects = new Map<string, Buffer>()
  const uploads = new Map<string, Map<number, Buffer>>()
  const metadata = new Map<string, Record<string, string>>()
  /** The object of each upload. */
  const keys = new Map<string, string>()
  const requests: string[] = []
  const refusals = new Map<string, number>()
  let joins: Promise<void> = Promise.resolve()
  let waiting = 0
  const server = createServer(async (request, response) => {
    // One that is cut short gets no answer.
    const parts = await request.toArray().catch(() => undefined)
    if (parts === undefined) return
    const body = Buffer.concat(parts)
    const url = new URL(request.url ?? '', `http://${request.headers.host}`)
    requests.push(`${request.method} ${url.pathname}`)
    if (request.method === 'POST' && url.searchParams.has('uploadId')) {
      waiting++
      await joins
      waiting--
    }
    const { status, content = '', etag, headers } = answer(request, url, body)
    const length = { 'content-length': Buffer.byteLength(content) }
    response.writeHead(status, { ...length, ...headers, ...(etag === undefined ? {} : { etag }) })
    response.end(request.method === 'HEAD' ? '' : content)
  })

  function answer(request: IncomingMessage, url: URL, body: Buffer): Reply {
    const { method = '' } = request
    const left = refusals.get(method) ?? 0
    refusals.set(method, left - 1)
    if (left > 0) return failure(503, 'SlowDown')
    if (!isSigned(request, url, body) && !isPresigned(request, url, SECRET))
      return failure(403, 'SignatureDoesNotMatch')
    const key = decodeURIComponent(url.pathname.slice(1))
    const query = url.searchParams
    if (query.has('list-type')) return list(key, query)
    if (query.has('uploads')) return method === 'GET' ? listUploads(key, query) : begin(key)
    const id = query.get('uploadId')
    if (id === null) return presented(single(request, key, body), query)
    return multipart(id, { method, key, query, body })
  }

  function begin(key: string): Reply {
    const id = randomUUID()
    keys.set(id, key)
    uploads.set(id, new Map())
    return { status: 200, content: `<R><UploadId>${id}</UploadId></R>` }
  }

  function single({ method, headers }: IncomingMessage, key: string, body: Buffer): Reply {
    const content = objects.get(key)
    if (method === 'DELETE') {
      objects.delete(key)
      return { status: 204 }
    }
    if (method === 'PUT') {
      // A store that is told no length can't take the object.
      if (headers['content-length'] === undefined) return failure(411, 'MissingContentLength')
      objects.set(key, body)
      const own = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'))
      metadata.set(key, Object.fromEntries(own.map(([name, value]) => [name, String(value)])))
      return { status: 200, etag: etagOf(body) }
    }
    if (content === undefined) return failure(404, 'NoSuchKey')
    return { ...read(headers, content), headers: metadata.get(key) ?? {} }
  }

  function read(headers: IncomingMessage['headers'], content: Buffer): Reply {
    const expected = headers['if-match']
    if (expected !== undefined && expected !== etagOf(content)) return failure(412, 'PreconditionFailed')
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
    if (start === undefined) return { status: 200, content }
    return { status: 206, content: content.subarray(Number(start), Number(end) + 1) }
  }

  /** Has the headers of an answer that its URL says. */
  function presented(reply: Reply, query: URLSearchParams): Reply {
    const said = [...query].filter(([name]) => name.startsWith('response-'))
    const own = said.map(([name, value]) => [name.slice('response-'.length), value])
    return { ...reply, headers: { ...reply.headers, ...Object.fromEntries(own) } }
  }

  function multipart(
    id: string,
    { method, key, query, body }: { method: string; key: string; query: URLSearchParams; body: Buffer },
  ): Reply {
    const parts = uploads.get(id)
    if (parts === undefined) return failure(404, 'NoSuchUpload')
    if (method === 'GET') return listParts(parts, Number(query.get('part-number-marker')))
    if (method === 'PUT') {
      parts.set(Number(query.get('partNumber')), body)
      return { status: 200, etag: etagOf(body) }
    }
    uploads.delete(id)
    if (method === 'DELETE') return { status: 204 }
    const named = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g)]
    const chosen = named.flatMap(([, number, etag]) => {
      const part = parts.get(Number(number))
      return part !== undefined && etagOf(part) === etag?.replaceAll('&quot;', '"') ? [part] : []
    })
    // As S3 does: an error after the status.
    if (chosen.length === 0 || chosen.length < named.length) return { ...failure(200, 'InvalidPart') }
    objects.set(key, Buffer.concat(chosen))
    metadata.delete(key)
    return { status: 200, content: '<R></R>' }
  }

  function listParts(parts: Map<number, Buffer>, after: number): Reply {
    const there = [...parts].filter(([number]) => number > after).sort(([a], [b]) => a - b)
    const page = there.slice(0, PAGE).map(([number, body]) => {
      const tag = etagOf(body).replaceAll('"', '&quot;')
      return `<Part><PartNumber>${number}</PartNumber><Size>${body.length}</Size><ETag>${tag}</ETag></Part>`
    })
    const next = `<NextPartNumberMarker>${there[PAGE - 1]?.[0]}</NextPartNumberMarker>`
    const more = `<IsTruncated>${there.length > PAGE}</IsTruncated>${there.length > PAGE ? next : ''}`
    return { status: 200, content: `<R>${page.join('')}${more}</R>` }
  }

  function listUploads(bucket: string, query: URLSearchParams): Reply {
    const start = `${bucket.replace(/\/$/, '')}/${query.get('prefix') ?? ''}`
    const ids = [...uploads.keys()].filter((id) => keys.get(id)?.startsWith(start))
    return { status: 200, content: `<R>${ids.map((id) => `<UploadId>${id}</UploadId>`).join('')}</R>` }
  }

  function list(bucket: string, query: URLSearchParams): Reply {
    const start = `${bucket.replace(/\/$/, '')}/${query.get('prefix') ?? ''}`
    const keys = [...objects.keys()].filter((key) => key.startsWith(start)).sort()
    const from = Number(query.get('continuation-token') ?? 0)
    const entries = keys
      .slice(from, from + PAGE)
      .map((key) => `<Key>${key.slice(key.indexOf('/') + 1)}</Key>`)
    const next =
      from + PAGE < keys.length ? `<NextContinuationToken>${from + PAGE}</NextContinuationToken>` : ''
    return { status: 200, content: `<R>${entries.join('')}${next}</R>` }
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  return {
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { AWS_ACCESS_KEY_ID: ID, AWS_SECRET_ACCESS_KEY: SECRET },
    objects,
    uploads,
    requests,
    busy: (method, times) => refusals.set(method, times),
    joining: () => waiting,
    holdJoins() {
      const { promise, resolve } = Promise.withResolvers<void>()
      joins = promise
      return resolve
    },
  }
}

function failure(status: number, code: string): Reply {
  return { status, content: `<Error><Code>${code}</Code><Message>of the test</Message></Error>` }
}

function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function isSigned(request: IncomingMessage, url: URL, body: Buffer): boolean {
  const match =
    /^AWS4-HMAC-SHA256 Credential=(\w+)\/(\d{8})\/([\w-]+)\/s3\/aws4_request, SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    )
  const [, id, day = '', region = '', signed = '', signature] = match ?? []
  if (id !== ID) return false
  const content = String(request.headers['x-amz-content-sha256'])
  const digest = createHash('sha256').update(body).digest('hex')
  if (content !== 'UNSIGNED-PAYLOAD' && content !== digest) return false
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&')
  const headers = signed.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`)
  const canonical = [request.method, url.pathname, query, headers.join(''), signed, content].join('\n')
  const scope = `${day}/${region}/s3/aws4_request`
  const hash = createHash('sha256').update(canonical).digest('hex')
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, hash].join('\n')
  return signatureOf(SECRET, { day, region, text }) === signature
}
