import { createHash } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { BackupError } from '#lib/backup/backup-error.ts'
import { DirectoryStore } from '#lib/backup/directory-store.ts'
import type { Manifest } from '#lib/backup/manifest.ts'
import { Measure } from '#lib/backup/measure.ts'
import { restore } from '#lib/backup/restore.ts'
import { writeTextfile } from '#lib/backup/textfile.ts'
import { testConfig } from '#test/support/helper.ts'

/** Refuses every connection: what is refused before the database is asked needs none. */
const { database } = testConfig('postgres://a:b@127.0.0.1:1/c')

const MANIFEST: Manifest = {
  format: 1,
  created_at: '2026-11-24T15:49:00.123Z',
  service_version: '0.1.0',
  migration_version: 1,
  postgres_version: '18.0',
  database: { name: 'a', size: 1 },
  dump: { file: 'a-20261124T154900Z.dump', size: 1, sha256: '0'.repeat(64) },
  tables: [],
}

/** Restores from a directory with these files, and returns the words of the refusal. */
async function refusal(t: Test, files: Record<string, string>, name?: string): Promise<string> {
  const directory = t.testdir({ backups: files, migrations: { '001.do.a.sql': '', '002.do.b.sql': '' } })
  const options = {
    store: new DirectoryStore(join(directory, 'backups')),
    migrations: join(directory, 'migrations'),
    connection: await connectionOptions(database),
    tls: database,
    log: () => undefined,
    ...(name === undefined ? {} : { name }),
  }
  return restore(options).then(
    () => 'restored',
    (error: Error & { code?: string }) => (error instanceof BackupError ? error.message : `${error.code}`),
  )
}

function backup(stem: string, manifest: object = MANIFEST): Record<string, string> {
  return { [`${stem}.dump`]: 'x', [`${stem}.json`]: JSON.stringify(manifest) }
}

t.test('what cannot be restored is refused before the database is asked', async (t) => {
  const whole = backup('a-20261124T154900Z')
  t.match(await refusal(t, {}), /^There is no backup in .*backups \(/)
  t.match(await refusal(t, { 'a-20261124T154900Z.dump': 'x' }), /^There is no backup in /, 'half of one')
  t.match(await refusal(t, whole, 'a-20261125T000000Z'), /^There is no backup a-20261125T000000Z in /)
  const two = { ...whole, ...backup('b-20261124T154900Z') }
  t.match(await refusal(t, two), /holds backups of several databases \(a, b\): choose one by --name/)
  t.match(await refusal(t, two, 'a-20261124T154900Z'), 'ECONNREFUSED', 'one that was named')
  t.match(await refusal(t, whole), 'ECONNREFUSED', 'the only one')
  const newer = { ...MANIFEST, migration_version: 3 }
  t.match(await refusal(t, backup('a-20261124T154900Z', newer)), /with migration 3, and this one knows 2\./)
  const same = { ...MANIFEST, migration_version: 2 }
  t.match(await refusal(t, backup('a-20261124T154900Z', same)), 'ECONNREFUSED')
  const latest = { ...whole, ...backup('a-20261125T154900Z', newer) }
  t.match(await refusal(t, latest), /with migration 3/, 'the newest is taken')
})

t.test('a manifest that is not one', async (t) => {
  const damaged = async (text: string) =>
    refusal(t, { 'a-20261124T154900Z.dump': 'x', 'a-20261124T154900Z.json': text })
  t.match(await damaged('{'), /^a-20261124T154900Z\.json is not JSON/)
  t.match(await damaged('[]'), /is not a manifest of this service \(\/: /)
  const faults: Partial<Record<keyof Manifest, unknown>> = {
    format: 2,
    created_at: '',
    migration_version: -1,
    dump: { ...MANIFEST.dump, file: '../a.dump' },
    tables: [{ schema: 'public', name: 'a', rows: 0.5 }],
  }
  for (const [key, value] of Object.entries(faults))
    t.match(await damaged(JSON.stringify({ ...MANIFEST, [key]: value })), `(/${key}`, key)
  t.match(await damaged(' '.repeat(16 * 1024 * 1024 + 1)), /is too large for a manifest/)
  t.match(await damaged(' '.repeat(16 * 1024 * 1024)), /is not JSON/)
})

t.test('what passes is measured, and ends with the piece that is too much', async (t) => {
  async function* pieces() {
    yield* [Buffer.from('ab'), Buffer.from('c'), Buffer.from('d')]
  }
  const passed = async (measure: Measure) => {
    let text = ''
    for await (const piece of measure.through(pieces())) text += Buffer.from(piece).toString()
    return { text, ...measure.result() }
  }
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  t.strictSame(await passed(new Measure()), { text: 'abcd', size: 4, sha256: sha256('abcd') })
  t.strictSame(await passed(new Measure(3)), { text: 'abcd', size: 4, sha256: sha256('abcd') })
  t.strictSame(await passed(new Measure(2)), { text: 'abc', size: 3, sha256: sha256('abc') })
})

t.test('a directory is for its owner alone, and has whole files only', async (t) => {
  const place = join(t.testdir({}), 'new')
  const store = new DirectoryStore(place)
  t.strictSame(await store.list(), [], 'that is not there')
  async function* pieces(fails = false) {
    yield Buffer.from('one')
    if (fails) throw new Error('the source failed')
    yield Buffer.from('two')
  }
  await t.rejects(store.write('failed', pieces(true)), { message: 'the source failed' })
  t.strictSame(await readdir(place), [])
  await writeFile(join(place, 'other.partial'), 'of a process that writes now')
  await store.write('a', pieces())
  t.strictSame((await readdir(place)).sort(), ['a', 'other.partial'])
  t.strictSame(await store.list(), ['a'])
  for (const [path, mode] of [
    [place, 0o700],
    [join(place, 'a'), 0o600],
  ] as const)
    t.equal((await stat(path)).mode & 0o777, mode)
  const read: Uint8Array[] = []
  for await (const piece of await store.read('a')) read.push(piece)
  t.equal(Buffer.concat(read).toString(), 'onetwo')
  await t.rejects(store.read('b'), { message: /^There is no .*new\/b\.$/ })
  await store.remove('a')
  await store.remove('a')
  t.strictSame(await store.list(), [])
})

t.test('the file for node_exporter', async (t) => {
  const directory = t.testdir({})
  await writeTextfile(directory, { ...MANIFEST, dump: { ...MANIFEST.dump, size: 7 } })
  t.strictSame(await readdir(directory), ['groundwork_backup.prom'])
  const text = await readFile(join(directory, 'groundwork_backup.prom'), 'utf8')
  t.match(text, /^groundwork_backup_last_success_timestamp_seconds 1795535340\.123$/m)
  t.match(text, /^groundwork_backup_size_bytes 7$/m)
})
