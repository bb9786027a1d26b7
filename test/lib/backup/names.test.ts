import { resolve } from 'node:path'
import t from 'tap'
import { findBackups, nameBackup } from '#lib/backup/names.ts'
import { openStore } from '#lib/backup/open-store.ts'
import { s3Settings } from '#lib/backup/s3-store.ts'

t.test('a backup is named after its database and its time', async (t) => {
  t.strictSame(nameBackup('ground work/1', new Date('2026-11-24T15:49:00.123Z')), {
    stem: 'ground_work_1-20261124T154900Z',
    dump: 'ground_work_1-20261124T154900Z.dump',
    inventory: 'ground_work_1-20261124T154900Z.files',
    manifest: 'ground_work_1-20261124T154900Z.json',
  })
})

t.test('backups are found by their files, oldest first, whatever else is there', async (t) => {
  const files = [
    'b-20261102T000000Z.json',
    'b-20261102T000000Z.dump',
    'a-b-20261103T000000Z.dump',
    'b-20261101T000000Z.dump',
    'b-20261101T000000Z.json',
    'b-20261104T000000Z.dump.partial',
    'b-2026.dump',
    'notes.json',
  ]
  const summary = (database?: string) =>
    findBackups(files, database).map(({ stem, complete }) => [stem, complete])
  t.strictSame(summary(), [
    ['b-20261101T000000Z', true],
    ['b-20261102T000000Z', true],
    ['a-b-20261103T000000Z', false],
  ])
  t.strictSame(summary('a-b'), [['a-b-20261103T000000Z', false]])
  t.strictSame(findBackups(files, 'b')[0], {
    stem: 'b-20261101T000000Z',
    dump: 'b-20261101T000000Z.dump',
    inventory: 'b-20261101T000000Z.files',
    manifest: 'b-20261101T000000Z.json',
    complete: true,
    hasInventory: false,
  })
  t.strictSame(summary('c'), [])
})

t.test('a place is an object store or a directory', async (t) => {
  const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }
  t.equal(openStore('s3://bucket/prefix', s3Settings(keys)).place, 's3://bucket/prefix')
  t.equal(openStore('backups/s3:', s3Settings({})).place, resolve('backups/s3:'))
})
