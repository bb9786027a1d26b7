import { createServer } from 'node:http'
import t from 'tap'
import { S3Bucket, urlOf } from '#lib/object-store/s3-bucket.ts'
import { listenOn } from '#test/support/otlp-receiver.ts'

t.test('where a bucket is', (t) => {
  const ours = { bucket: 'b', endpoint: 'https://objects.example.com//' }
  t.equal(urlOf({ ...ours, region: 'eu-test-1' }), 'https://objects.example.com/b')
  t.equal(urlOf({ bucket: 'b', region: 'eu-test-1' }), 'https://b.s3.eu-test-1.amazonaws.com')
  t.equal(urlOf({ bucket: 'b' }), 'https://b.s3.us-east-1.amazonaws.com')
  const keys = { accessKeyId: 'a', secretAccessKey: 'b' }
  t.equal(new S3Bucket({ ...ours, ...keys, prefix: 'p/q/' }).place, 's3://b/p/q')
  t.equal(new S3Bucket({ ...ours, ...keys, prefix: '' }).place, 's3://b')
  t.end()
})

t.test('an answer that lacks what was asked for is a failure', async (t) => {
  let headers: Record<string, string> = {}
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, headers).end('<R>something else</R>'))
  })
  const endpoint = await listenOn(t, server)
  const bucket = new S3Bucket({ bucket: 'b', prefix: '', endpoint, accessKeyId: 'a', secretAccessKey: 'b' })
  await t.rejects(bucket.beginParts('name'), {
    name: 'ObjectStoreError',
    message: 's3://b did not begin an upload: <R>something else</R>',
  })
  const unacknowledged = { name: 'ObjectStoreError', message: 's3://b did not acknowledge what was sent.' }
  await t.rejects(bucket.put('name', new Uint8Array(1)), unacknowledged)
  await t.rejects(bucket.putPart('name', 'id', 1, new Uint8Array(1)), unacknowledged)
  headers = { etag: '"tag"' }
  t.equal(await bucket.put('name', new Uint8Array(1)), '"tag"')
  t.equal(await bucket.putPart('name', 'id', 1, new Uint8Array(1)), '"tag"')
})
