import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { backUp } from '#lib/backup/backup.ts'
import { bringAll } from '#lib/backup/contents.ts'
import { readInventory, type StoredContent } from '#lib/backup/inventory.ts'
import { restore } from '#lib/backup/restore.ts'
import { LocalStore } from '#lib/object-store/local-store.ts'
import { MIGRATIONS } from '#plugins/infrastructure/migrations.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createEmptyDatabase, createTestDatabase } from '#test/support/database.ts'
import { addOrganization, DUMP, rig, sha256 } from './rig.ts'

t.test('contents are copied once, and what is missing is told', async (t) => {
  const db = await createTestDatabase(t)
  const { folder, said, options, names } = await rig(t, db)
  const files = new LocalStore(join(folder, 'own'))
  const content = (number: number, text = `content ${number}`): StoredContent => ({
    key: String(number).padStart(32, '0'),
    size: text.length,
    sha256: sha256(text),
    store: 'local',
  })
  const all = Array.from({ length: 25 }, (_, number) => content(number))
  const inventory = async function* () {
    yield* all
  }
  const write = (number: number, text: string) =>
    files.write(content(number).key, Readable.from([Buffer.from(text)]))
  for (const number of [0, 1]) await write(number, `content ${number}`)
  await write(2, 'damaged!!')
  const first = await backUp({ ...options, inventory, files })
  const bytes = all.reduce((sum, { size }) => sum + size, 0)
  t.match(first.files, { objects: 25, bytes, copied: 2 })
  t.strictSame(
    said.slice(1, 3).map((line) => line.split(' to ')[0]),
    ['Copying contents of files', '2 contents are there, 2 of them new'],
  )
  t.equal(said.filter((line) => line.startsWith('Not copied: ')).length, 20)
  t.equal(said.at(-1), 'and 3 more (npm run files -- verify lists them)')
  const listed = (await names()).find((name) => name.endsWith('.files')) ?? ''
  const lines: StoredContent[] = []
  for await (const line of readInventory(await options.store.read(listed), listed)) lines.push(line)
  t.strictSame(lines, all)

  said.length = 0
  all.splice(2)
  t.match((await backUp({ ...options, inventory, files })).files, { objects: 2, copied: 2 })
  t.equal(said.at(-1), '2 contents are there, 0 of them new')
  t.match(
    (await backUp({ ...options, inventory })).files,
    { objects: 2, copied: 0 },
    'without a store to copy from',
  )
  const broken = Object.create(files, {
    read: { value: () => Promise.reject(new Error('the store is away')) },
  })
  all.push(content(30))
  t.match((await backUp({ ...options, inventory, files: broken })).files, { objects: 3, copied: 0 })
  t.equal(said.at(-1), 'The contents could not all be copied: the store is away')

  // A copy that lost its bytes has its whole length.
  all.pop()
  await options.contents.remove(content(0).key)
  await options.contents.write(content(0).key, Readable.from([Buffer.from('CONTENT 0')]))
  const stores = { from: files, to: options.contents }
  t.match(await bringAll(inventory(), stores), { objects: 2, bytes: 18, copied: 0, faults: [] })
  t.match(await bringAll(inventory(), { ...stores, digests: true }), { objects: 2, copied: 1, faults: [] })
  all.push(content(2))
  t.match(await bringAll(inventory(), { ...stores, digests: true }), {
    copied: 0,
    faults: [{ key: content(2).key, what: `${content(2).key} has the SHA-256 ${sha256('damaged!!')}, and ` }],
  })
})

t.test('a backup is restored by one script, of which only the last line commits', async (t) => {
  const [db, empty] = [await createTestDatabase(t), await createEmptyDatabase(t)]
  const { folder, options, names, said, place } = await rig(t, db)
  const manifest = await backUp(options)
  const [dump = '', , json = ''] = await names()
  const into = { ...options, connection: connectionTo(empty.url), migrations: join(folder, 'migrations') }
  await t.rejects(restore({ ...into, connection: connectionTo(db.url), migrations: MIGRATIONS }), {
    name: 'BackupError',
    message: /is not empty \(schemas: .*\bpublic\b.*\)\. Restore into a new one/,
  })
  const script = async (options: Parameters<typeof restore>[0]) => {
    const restored = await restore(options)
    t.strictSame(restored, manifest)
    return (await readFile(join(folder, 'sql'), 'utf8')).split('\n')
  }
  said.length = 0
  const sql = await script({ ...into, migrations: MIGRATIONS })
  const checks = manifest.tables.map(({ schema, name }) => `"${schema}"."${name}"`)
  t.strictSame(sql.slice(0, 3), ['BEGIN;', 'SET transaction_timeout = 0;', 'SELECT 1;'])
  t.strictSame(sql.slice(-2), ['COMMIT;', ''])
  const asserted = sql.slice(3, -2)
  t.strictSame(
    asserted.map((line) => /FROM ONLY (\S+)\)/.exec(line)?.[1]),
    checks,
  )
  t.strictSame(said.slice(0, 2), [
    `Verifying ${dump.replace('.dump', '')} from ${place}`,
    `Restoring ${dump.replace('.dump', '')}, made at ${manifest.created_at}`,
  ])
  t.match(said[2], /^Applied 001\.do\./, 'and what is older is migrated')
  for (const line of asserted) await db.query(line)
  await addOrganization(db)
  await t.rejects(db.query(asserted.find((line) => line.includes('"organizations"')) ?? ''), {
    message: 'public.organizations has not the 0 rows of the manifest',
  })
  const args = (await readFile(join(folder, 'pg_restore.args'), 'utf8')).trim().split('\n')
  const file = args.pop() ?? ''
  t.strictSame(args, ['--file=-', '--no-owner', '--no-privileges', '--enable-row-security'])
  await t.rejects(stat(file), { code: 'ENOENT' })
  t.match(await readFile(join(folder, 'psql.args'), 'utf8'), /^--no-psqlrc\n(.*\n)*--set=ON_ERROR_STOP=1\n/)

  const forced = await script({ ...into, migrations: MIGRATIONS, force: true })
  t.match(forced.slice(1, 3), [/^DROP SCHEMA "?\w+"? CASCADE;/, /^DROP SCHEMA|^CREATE|^SET/])
  const bytes = Buffer.from(DUMP)
  const fails = async (message: RegExp) =>
    t.rejects(restore({ ...into, migrations: MIGRATIONS, force: true }), { name: 'BackupError', message })
  await writeFile(join(place, dump), `${DUMP}more`)
  await fails(/is damaged: it has more bytes, and its manifest says 19 bytes/)
  await writeFile(join(place, dump), bytes.subarray(1))
  await fails(/is damaged: it has 18 bytes and SHA-256 [0-9a-f]{64}, and its manifest says 19 bytes/)
  await writeFile(join(place, dump), DUMP.toUpperCase())
  await fails(/is damaged: it has 19 bytes/)
  await writeFile(join(place, dump), DUMP)
  await writeFile(join(folder, 'pg_restore.fails'), '')
  await fails(/pg_restore failed \(3\): broke/)
  t.ok((await names()).includes(json))
  await writeFile(join(place, json), JSON.stringify({ ...manifest, postgres_version: '100.1' }))
  await fails(/pg_restore is of version 99, and the server of 100\./)
})
