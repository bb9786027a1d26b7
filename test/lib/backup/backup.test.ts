import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { backUp } from '#lib/backup/backup.ts'
import { parseManifest } from '#lib/backup/manifest.ts'
import { askLastBackupTime, recordBackup } from '#lib/backup/record.ts'
import { LocalStore } from '#lib/object-store/local-store.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createEmptyDatabase, createTestDatabase } from '#test/support/database.ts'
import { addOrganization, DUMP, NONE, PROGRAM, rig, sha256 } from './rig.ts'

/** A content of the service's own store of files. */
const WHOLE = { key: '0'.repeat(32), size: 5, sha256: sha256('whole'), store: 'local' as const }

t.test('a backup says what it holds, which is of one moment', async (t) => {
  const db = await createTestDatabase(t)
  const { folder, place, said, options, names, name } = await rig(t, db)
  await addOrganization(db)
  // While the dump is written, the service goes on.
  const store = Object.create(options.store, {
    write: {
      value: async (file: string, pieces: AsyncIterable<Uint8Array>) => {
        if (file.endsWith('.dump')) await addOrganization(db)
        const held =
          "SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND classid = 25959 AND objid = 1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        locks.push((await db.query<{ mode: string }>(held)).map(({ mode }) => mode))
        return options.store.write(file, pieces)
      },
    },
  })
  const locks: string[][] = []
  const manifest = await backUp({ ...options, store, files: new LocalStore(join(folder, 'none')) })
  t.strictSame(locks, Array(3).fill(['ShareLock']), 'meanwhile no content is removed')
  const tables = await db.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relpersistence = 'p' AND relnamespace = 'public'::regnamespace ORDER BY 1",
  )
  const own = manifest.tables.filter(({ schema }) => schema === 'public')
  t.strictSame(
    own.map(({ name }) => name),
    tables.map(({ name }) => name),
    'every table that outlives a crash',
  )
  const rowsOf = (table: string) => own.find(({ name }) => name === table)?.rows
  t.equal(rowsOf('organizations'), 1, 'of all organizations, and none that came later')
  const applied = await db.query<{ version: number }>(
    'SELECT max(version)::int AS version FROM schemaversion',
  )
  const versions = await db.query<{ rows: number }>('SELECT count(*)::int AS rows FROM schemaversion')
  t.equal(rowsOf('schemaversion'), versions[0]?.rows)
  const [server] = await db.query<{ version: string }>("SELECT current_setting('server_version') AS version")
  const [dump = '', files = '', json = ''] = await names()
  t.match(dump, new RegExp(`^${name}-\\d{8}T\\d{6}Z\\.dump$`))
  t.strictSame(manifest, {
    format: 1,
    created_at: manifest.created_at,
    service_version: '1.2.3',
    migration_version: applied[0]?.version,
    postgres_version: server?.version,
    database: { name, size: manifest.database.size },
    dump: { file: dump, size: DUMP.length, sha256: sha256(DUMP) },
    files: { inventory: { file: files, size: 0, sha256: sha256('') }, objects: 0, bytes: 0, copied: 0 },
    tables: manifest.tables,
  })
  t.ok(manifest.database.size > 1_000_000)
  t.equal(manifest.created_at.replace(/[-:]|\.\d+/g, ''), dump.slice(name.length + 1, -5))
  t.strictSame(parseManifest(await readFile(join(place, json), 'utf8'), json), manifest)
  const [snapshot, ...args] = (await readFile(join(folder, 'pg_dump.args'), 'utf8'))
    .trim()
    .split('\n')
    .reverse()
  t.match(snapshot, /^--snapshot=[\dA-F-]+$/)
  t.strictSame(args.reverse(), [
    '--format=custom',
    '--no-password',
    '--enable-row-security',
    '--lock-wait-timeout=60s',
    '--no-unlogged-table-data',
  ])
  const env = await readFile(join(folder, 'pg_dump.env'), 'utf8')
  for (const line of [
    `PGDATABASE=${name}`,
    'PGAPPNAME=groundwork-backup',
    'PGCONNECT_TIMEOUT=10',
    'LC_ALL=C',
  ])
    t.ok(env.split('\n').includes(line), line)
  t.match(said, [
    `Backing up ${name} to ${place}`,
    `Copying contents of files to ${place}`,
    '0 contents are there, 0',
  ])
  t.strictSame(
    await db.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'groundwork-backup'",
    ),
    [],
  )

  t.test('what is not copied of the contents is said, and the dump is there without them', async (t) => {
    const missing = (count: number) =>
      Array.from({ length: count }, (_, number) => ({ ...WHOLE, key: String(number + 1).padStart(32, '0') }))
    const backUpContents = async (lacking: number, files = new LocalStore(join(folder, 'own'))) => {
      said.length = 0
      const inventory = async function* () {
        yield* [WHOLE, ...missing(lacking)]
      }
      return (await backUp({ ...options, files, inventory })).files
    }
    await new LocalStore(join(folder, 'own')).write(WHOLE.key, Readable.from([Buffer.from('whole')]))
    t.match(await backUpContents(21), { objects: 22, bytes: 110, copied: 1 })
    const notCopied = () => said.filter((line) => line.startsWith('Not copied: 0'))
    t.equal(said[2], '1 contents are there, 1 of them new')
    t.equal(new Set(notCopied()).size, 20)
    t.equal(said.at(-1), 'and 1 more (npm run files -- verify lists them)')
    t.match(await backUpContents(20), { objects: 21, copied: 1 })
    t.equal(said[2], '1 contents are there, 0 of them new', 'it was there')
    t.equal(notCopied().length, 20)
    t.match(said.at(-1), /^Not copied: /, 'no more of them')
    const away = new LocalStore(join(folder, 'own'))
    away.read = async () => {
      throw new Error('the store is away')
    }
    t.match(await backUpContents(1, away), { objects: 2, bytes: 10, copied: 0 })
    t.strictSame(said.slice(2), ['The contents could not all be copied: the store is away'])
  })
})

t.test('an empty database, a program that fails, and backups that are kept', async (t) => {
  const { folder, options, names, name, said } = await rig(t, await createEmptyDatabase(t))
  const stamps = ['20200101T000000Z', '20200102T000000Z', '20200103T000000Z', '20200104T000000Z']
  const contents = (numbers: number[]) =>
    numbers.map((number) => `${String(number).padStart(32, '0')} 1 ${'0'.repeat(64)} local\n`).join('')
  const write = (file: string, text = '') => writeFile(join(options.store.place, file), text)
  await options.store.write('x', NONE())
  await options.store.remove('x')
  for (const [index, stamp] of stamps.entries()) {
    await write(`${name}-${stamp}.dump`)
    // One was never finished.
    if (index !== 1) await write(`${name}-${stamp}.json`)
    await write(`${name}-${stamp}.files`, contents([0, index + 1, 9]))
  }
  await write(`other-${stamps[0]}.json`)
  await write(`other-${stamps[0]}.files`, contents([1]))
  const bytes = () => Readable.from([Buffer.from('x')])
  for (const number of [0, 1, 2, 3, 4, 9])
    await options.contents.write(String(number).padStart(32, '0'), bytes())
  const before = await names()
  await writeFile(join(folder, 'pg_dump.fails'), '')
  await t.rejects(backUp({ ...options, keep: 1 }), {
    name: 'BackupError',
    message: /pg_dump failed \(3\): broke/,
  })
  t.strictSame(await names(), before, 'nothing is left of it, nor removed')
  await writeFile(join(folder, 'pg_dump'), PROGRAM.replace('99.1', '9.6.1'))
  await t.rejects(backUp({ ...options, keep: 1 }), {
    message: /pg_dump is of version 9, and the server of 18\./,
  })
  await writeFile(join(folder, 'pg_dump'), PROGRAM.replace('fails', 'works'))

  const manifest = await backUp(options)
  t.match(manifest, { migration_version: 0, tables: [], files: undefined }, 'nothing is in it')
  t.equal((await names()).length, before.length + 2, 'all are kept')
  await options.store.remove(manifest.dump.file)
  await options.store.remove(manifest.dump.file.replace('.dump', '.json'))
  said.length = 0
  const { dump } = await backUp({ ...options, keep: 3 })
  const left = await names()
  t.strictSame(left, [
    `other-${stamps[0]}.files`,
    `other-${stamps[0]}.json`,
    ...stamps.slice(2).flatMap((stamp) => ['dump', 'files', 'json'].map((end) => `${name}-${stamp}.${end}`)),
    dump.file,
    dump.file.replace('.dump', '.json'),
  ])
  t.strictSame(
    said.slice(1),
    stamps.slice(0, 2).map((stamp) => `Removed ${name}-${stamp}`),
  )
  const kept: number[] = []
  for await (const key of options.contents.list()) kept.push(Number(key))
  t.strictSame(kept.sort(), [0, 1, 3, 4, 9], 'with the contents that no other names')
})

t.test('the newest backup is recorded', async (t) => {
  const db = await createTestDatabase(t)
  const connection = connectionTo(db.url)
  t.equal(await askLastBackupTime(connection), undefined)
  const record = (created_at: string, size: number) =>
    recordBackup(connection, { created_at, dump: { file: 'a.dump', size, sha256: '' } })
  await record('2026-01-02T00:00:00.500Z', 7)
  await record('2026-01-01T00:00:00.000Z', 8)
  const time = Date.parse('2026-01-02T00:00:00.500Z') / 1000
  t.equal(await askLastBackupTime(connection), time)
  t.match(await db.query('SELECT size::int FROM backups'), [{ size: 7 }], 'not an older one')
  await record('2026-01-03T00:00:00.000Z', 9)
  t.match(await db.query('SELECT size::int FROM backups'), [{ size: 9 }])
})
