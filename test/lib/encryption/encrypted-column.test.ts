import { pathToFileURL } from 'node:url'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import type { Database, Statement } from '#lib/database/database.ts'
import { EncryptedColumn, findEncryptedColumns } from '#lib/encryption/encrypted-column.ts'
import { Encryption } from '#lib/encryption/encryption.ts'
import { encryptAgain, keyStatus } from '#lib/encryption/rotation.ts'
import { createTestApp } from '#test/support/helper.ts'

const [OLD, NEW, LOST] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2), Buffer.alloc(32, 3)]
const column = new EncryptedColumn({ table: 'things', key: 'id', column: 'secret' })

t.test('values are encrypted again with the first key', async (t) => {
  const { app, db } = await createTestApp(t)
  await db.query('CREATE TABLE things (id uuid PRIMARY KEY, secret bytea)')
  const [old, both] = [new Encryption(OLD), new Encryption(NEW, OLD)]

  async function add(encryption: Encryption, text: string): Promise<string> {
    const id = uuidv7()
    await db.query('INSERT INTO things VALUES ($1, $2)', [id, column.encrypt(encryption, id, text)])
    return id
  }

  const read = async (encryption: Encryption, id: string) => {
    const [row] = await db.query<{ secret: Buffer }>('SELECT secret FROM things WHERE id = $1', [id])
    return row && column.decrypt(encryption, id, row.secret)
  }

  t.test('all of them, and those that have it stay as they are', async (t) => {
    const ids = await Promise.all(Array.from({ length: 1100 }, (_, index) => add(old, `text ${index}`)))
    const fresh = await add(both, 'fresh')
    await db.query('INSERT INTO things VALUES ($1, NULL)', [uuidv7()])
    const before = await db.query('SELECT secret FROM things WHERE id = $1', [fresh])
    t.same(await keyStatus(app.db, both, [column]), [
      { id: both.currentKeyId, use: 'encrypts', values: 1 },
      { id: old.currentKeyId, use: 'decrypts', values: 1100 },
    ])

    t.same(await encryptAgain(app.db, both, [column]), { changed: 1100, failed: [] })
    t.same(await keyStatus(app.db, both, [column]), [
      { id: both.currentKeyId, use: 'encrypts', values: 1101 },
      { id: old.currentKeyId, use: 'decrypts', values: 0 },
    ])
    for (const index of [0, 499, 500, 1099]) {
      t.equal(await read(new Encryption(NEW), ids[index] ?? ''), `text ${index}`)
    }
    t.same(await db.query('SELECT secret FROM things WHERE id = $1', [fresh]), before)
    t.same(
      await encryptAgain(app.db, both, [column]),
      { changed: 0, failed: [] },
      'a second time does nothing',
    )
  })

  t.test('what cannot be read is named and left as it is, and the others are done', async (t) => {
    const lost = await add(new Encryption(LOST), 'lost')
    const id = await add(old, 'kept')
    const { changed, failed } = await encryptAgain(app.db, both, [column])
    t.equal(changed, 1)
    t.equal(failed.length, 1)
    t.match(failed[0], `things.secret of ${lost}`)
    const missing = { id: new Encryption(LOST).currentKeyId, use: 'is missing', values: 1 }
    t.strictSame((await keyStatus(app.db, both, [column])).at(-1), missing)
    t.equal(await read(both, id), 'kept')
    t.equal(await read(new Encryption(LOST), lost), 'lost')
    await db.query('DELETE FROM things WHERE id = $1', [lost])
  })

  t.test('a value that changes meanwhile is not overwritten', async (t) => {
    const id = await add(old, 'before')
    const changing: Database = {
      transaction: (work) => app.db.transaction(work),
      async query<Row extends object>(statement: Statement): Promise<Row[]> {
        const rows = await app.db.query<Row>(statement)
        if (statement.name.startsWith('selectOutdated')) {
          await db.query('UPDATE things SET secret = $2 WHERE id = $1', [
            id,
            column.encrypt(both, id, 'after'),
          ])
        }
        return rows
      },
    }
    t.same(await encryptAgain(changing, both, [column]), { changed: 0, failed: [] })
    t.equal(await read(both, id), 'after')
  })

  t.test('a value of one row is not read in another', async (t) => {
    const id = await add(both, 'mine')
    const [row] = await db.query<{ secret: Buffer }>('SELECT secret FROM things WHERE id = $1', [id])
    const moved = row?.secret ?? Buffer.alloc(0)
    t.throws(() => column.decrypt(both, uuidv7(), moved), /was changed, or belongs elsewhere/)
  })
})

t.test('columns are found where domains declare them', async (t) => {
  const file = JSON.stringify(new URL('../../../lib/encryption/encrypted-column.ts', import.meta.url).href)
  const folder = t.testdir({
    things: {
      'encrypted.ts': `import { EncryptedColumn } from ${file}
        export const secret = new EncryptedColumn({ table: 'things', key: 'id', column: 'secret' })
        export const other = 1\n`,
    },
  })
  t.same(await findEncryptedColumns([pathToFileURL(`${folder}/`)]), [{ ...column }])
  t.ok(Array.isArray(await findEncryptedColumns()))
})
