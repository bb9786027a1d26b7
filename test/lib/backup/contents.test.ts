import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { bringAll } from '#lib/backup/contents.ts'
import { placeIn } from '#lib/backup/s3-store.ts'
import { intact } from '#lib/object-store/copy-object.ts'
import { LocalStore } from '#lib/object-store/local-store.ts'
import { sha256 } from './rig.ts'

t.test('a content that is there stays, unless its length or its digest is not right', async (t) => {
  const folder = t.testdir({})
  const [from, to] = [new LocalStore(join(folder, 'from')), new LocalStore(join(folder, 'to'))]
  const contents = ['right', 'wrong', 'short'].map((text, number) => ({
    key: String(number).padStart(32, '0'),
    size: 5,
    sha256: sha256(text),
    store: 'local' as const,
  }))
  const write = (store: LocalStore, texts: string[]) =>
    Promise.all(
      texts.map((text, number) =>
        store.write(String(number).padStart(32, '0'), Readable.from([Buffer.from(text)])),
      ),
    )
  await write(from, ['right', 'wrong', 'short'])
  await write(to, ['right', 'other', 'shor'])
  const bring = (digests?: boolean) =>
    bringAll(Readable.from(contents), { from, to, ...(digests === undefined ? {} : { digests }) })
  t.strictSame(await bring(), { objects: 3, bytes: 15, copied: 1, faults: [] }, 'by their lengths')
  t.strictSame(await bring(true), { objects: 3, bytes: 15, copied: 1, faults: [] }, 'by their digests too')
  t.strictSame(await bring(true), { objects: 3, bytes: 15, copied: 0, faults: [] })
  await to.remove(String(0).padStart(32, '0'))
  await write(to, ['other'])
  await from.remove(String(0).padStart(32, '0'))
  t.match(await bring(true), { objects: 2, bytes: 10, copied: 0, faults: [{ key: /^0{32}$/ }] })
  to.read = async () => {
    throw new Error('the disk is away')
  }
  await t.rejects(bring(true), { message: 'the disk is away' }, 'which says nothing of the content')
})

t.test('an address of an object store, and what it needs', async (t) => {
  const settings = {
    accessKeyId: 'id',
    secretAccessKey: 'secret',
    sessionToken: 'token',
    region: 'eu-1',
    endpoint: undefined,
  }
  const prefixes = { 's3://abc': '', 's3://abc/': '', 's3://abc/d': 'd/', 's3://abc/d/e//': 'd/e/' }
  for (const [place, prefix] of Object.entries(prefixes))
    t.strictSame(placeIn(place, settings), { ...settings, bucket: 'abc', prefix }, place)
  for (const place of ['s3://', 's3://A', 's3://-a', 's3://abc/d?e', 'xs3://abc'])
    t.throws(() => placeIn(place, settings), { name: 'BackupError', message: /is not an address/ }, place)
  for (const missing of ['accessKeyId', 'secretAccessKey'])
    for (const value of [undefined, ''])
      t.throws(() => placeIn('s3://abc', { ...settings, [missing]: value }), {
        name: 'BackupError',
        message: /set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/,
      })
})

t.test('a content that is not as described never comes to its end', async (t) => {
  const described = { key: '1'.repeat(32), size: 4, sha256: sha256('abcd') }
  const read = async (pieces: string[]) => {
    let text = ''
    try {
      for await (const piece of intact(Readable.from(pieces.map((one) => Buffer.from(one))), described))
        text += Buffer.from(piece).toString()
      return [text]
    } catch (error) {
      return [text, String(error).replaceAll(/[0-9a-f]{32,}/g, 'x')]
    }
  }
  t.strictSame(await read(['ab', 'cd']), ['abcd'])
  t.match(await read(['ab', 'cd', 'e', 'f']), ['ab', /x has more than its 4 bytes\.$/])
  t.match(await read(['ab', 'c']), ['ab', /x has 3 of its 4 bytes\.$/])
  t.match(await read(['ab', 'ce']), ['ab', /x has the SHA-256 x, and should have x\.$/])
})
