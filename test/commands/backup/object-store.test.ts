import t from 'tap'
import { S3Store } from '#lib/backup/s3-store.ts'
import { startS3 } from '#test/support/s3-server.ts'
import { runCommand } from './commands.ts'
import { populated } from './populated.ts'
import { startPostgresServer, WITHOUT_PROGRAMS } from './postgres-server.ts'

const skip = WITHOUT_PROGRAMS

t.test('to an object store and back', { skip }, async (t) => {
  const server = await startPostgresServer(t)
  const url = await populated(t, server)
  const s3 = await startS3(t)
  const store = { ...s3.credentials, AWS_REGION: 'eu-test-1', AWS_ENDPOINT_URL: s3.endpoint }
  const place = 's3://backups/groundwork/daily'
  s3.busy('PUT', 1)
  t.match(await runCommand('backup', ['--to', place], { APP_DATABASE__URL: url, ...store }), { code: 0 })
  const keys = [...s3.objects.keys()].sort()
  t.equal(keys.length, 3)
  for (const key of keys) t.match(key, /^backups\/groundwork\/daily\/db_\w+-\d{8}T\d{6}Z\.(dump|files|json)$/)
  t.equal(s3.uploads.size, 0)
  const target = await server.createDatabase()
  t.match(await runCommand('restore', ['--from', place], { APP_DATABASE__URL: target, ...store }), {
    code: 0,
  })
  t.same(
    await server.query(target, 'SELECT id, email FROM users'),
    await server.query(url, 'SELECT id, email FROM users'),
  )
  const bad = { ...store, AWS_SECRET_ACCESS_KEY: 'another' }
  t.match(await runCommand('backup', ['--to', place], { APP_DATABASE__URL: url, ...bad }), {
    code: 1,
    stderr: /403 SignatureDoesNotMatch/,
  })
  t.match(await runCommand('backup', ['--to', place], { APP_DATABASE__URL: url }), {
    code: 1,
    stderr: /set AWS_ACCESS_KEY_ID/,
  })
})

t.test('an object store: parts, pages and failures', async (t) => {
  const s3 = await startS3(t)
  const settings = {
    accessKeyId: s3.credentials.AWS_ACCESS_KEY_ID,
    secretAccessKey: s3.credentials.AWS_SECRET_ACCESS_KEY,
    sessionToken: undefined,
    region: undefined,
    endpoint: s3.endpoint,
  }
  const store = new S3Store('s3://bucket/p', settings, { partSize: 4 })
  async function* pieces(...texts: string[]) {
    for (const text of texts) yield Buffer.from(text)
  }
  await store.write('a', pieces('abc', 'def', 'g'))
  t.equal(s3.objects.get('bucket/p/a')?.toString(), 'abcdefg')
  t.equal(s3.requests.filter((line) => line.startsWith('PUT')).length, 2)
  await store.write('empty', pieces())
  t.equal(s3.objects.get('bucket/p/empty')?.length, 0)
  for (const name of ['b', 'c', 'd', 'e', 'f']) await store.write(name, pieces(name))
  t.same(await store.list(), ['a', 'b', 'c', 'd', 'e', 'empty', 'f'], 'over several pages')
  async function* failing() {
    yield Buffer.from('abcdef')
    throw new Error('the source failed')
  }
  await t.rejects(store.write('half', failing()), { message: 'the source failed' })
  t.notOk(s3.objects.has('bucket/p/half'))
  t.equal(s3.uploads.size, 0, 'given up')
  await store.remove('a')
  await t.rejects(store.read('a'), { name: 'BackupError', message: /404 NoSuchKey/ })
  t.throws(() => new S3Store('s3://', settings), { message: /write s3:\/\/bucket\/prefix/ })
  const closed = new S3Store('s3://bucket', { ...settings, endpoint: 'http://127.0.0.1:1' })
  await t.rejects(closed.read('a'), { message: /cannot be reached: .*ECONNREFUSED|bad port/ })
})
