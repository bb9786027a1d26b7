import { createServer } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { DirectoryStore } from '#lib/backup/directory-store.ts'
import { S3Store } from '#lib/backup/s3-store.ts'
import { emptyWithoutTable } from '#lib/database/empty-without-table.ts'
import { LocalStore } from '#lib/object-store/local-store.ts'
import { S3Bucket } from '#lib/object-store/s3-bucket.ts'
import { inParallel } from '#lib/waiting/in-parallel.ts'
import { listenOn } from '#test/support/otlp-receiver.ts'

const KEY = '0123456789abcdef0123456789abcdef'

/** Parts of an error. */
interface Told {
  readonly code?: string
  readonly name?: string
  readonly message?: string | RegExp
}

async function all(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

t.test('what is not there is one thing, and everything else that fails is told', async (t) => {
  // A file where a folder should be.
  const place = join(t.testdir({ file: '' }), 'file')
  const bytes = () => Readable.from([Buffer.from('x')])
  const [backups, files] = [new DirectoryStore(place), new LocalStore(place, '/accel/')]
  const closed = createServer((_request, response) => {
    response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>')
  })
  const options = { accessKeyId: 'a', secretAccessKey: 'b', region: undefined, sessionToken: undefined }
  const endpoint = await listenOn(t, closed)
  const bucket = new S3Bucket({ ...options, endpoint, bucket: 'b', prefix: '' })
  const broken = new Error('broken')
  const failing: Record<string, readonly [() => Promise<unknown>, Told]> = {
    'backups: list': [() => backups.list(), { code: 'ENOTDIR' }],
    'backups: read': [() => backups.read('a'), { code: 'ENOTDIR' }],
    'backups: write': [() => backups.write('a', bytes()), { code: 'EEXIST' }],
    'files: size': [() => files.size(KEY), { code: 'ENOTDIR' }],
    'files: read': [() => files.read(KEY), { code: 'ENOTDIR' }],
    'files: list': [() => all(files.list()), { code: 'ENOTDIR' }],
    'files: write': [() => files.write(KEY, bytes()), { code: 'ENOTDIR' }],
    'files: resume': [() => files.resume(KEY, { offset: 0, state: {} }), { code: 'ENOTDIR' }],
    'files: hand over': [async () => files.handOver?.(KEY), { code: 'ENOTDIR' }],
    'bucket: size': [() => bucket.size(KEY), { name: 'ObjectStoreError', message: /403/ }],
    'backups in a bucket': [
      () => new S3Store('s3://bucket', { ...options, endpoint }).list(),
      { name: 'BackupError', message: /AccessDenied/ },
    ],
    'a table': [() => emptyWithoutTable(() => Promise.reject(broken)), { message: 'broken' }],
    'one of many': [
      () => inParallel(Readable.from([1, 2, 3]), 2, () => Promise.reject(broken)),
      { message: 'broken' },
    ],
  }
  for (const [name, [work, error]] of Object.entries(failing)) {
    const thrown = await work().then(
      () => undefined,
      (reason: unknown) => reason,
    )
    t.match(thrown, error, name)
  }
})
