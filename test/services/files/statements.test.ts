import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { SystemDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import * as queries from '#services/files/queries.ts'
import * as scans from '#services/files/scan-queries.ts'
import { deleteUnfinished } from '#services/uploads/operator-queries.ts'
import * as uploads from '#services/uploads/queries.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

/** A file, and the versions that it must have. */
interface Target {
  readonly space_id: string
  readonly id: string
  readonly key: string
  readonly versions: readonly string[] | undefined
}

interface Databases {
  readonly own: UserDatabase
  readonly system: SystemDatabase
}

/** Parts of a target, each of which a statement asks for: with another one it does nothing. */
type Part = 'space_id' | 'id' | 'key' | 'versions'

interface Statement {
  readonly parts: readonly Part[]
  /** SQL of what the file, or its upload, has to be, and of what it may not be. */
  readonly right: string
  readonly wrong: readonly string[]
  run(db: Databases, target: Target): Promise<unknown>
}

const scanned = (state: string) => `UPDATE files SET scan = '${state}' WHERE id = $1`
const TRASHED = 'UPDATE files SET deleted_at = now() WHERE id = $1'
const PRESENT = 'UPDATE files SET deleted_at = NULL WHERE id = $1'
const WAITING = { right: scanned('waiting'), wrong: ['clean', 'held', 'infected'].map(scanned) }
const HELD = ['waiting', 'clean', 'released'].map(scanned)
const uploaded = (what: string) => `UPDATE uploads SET ${what} WHERE id = $1`
const OPEN = uploaded("length = NULL, completed_at = NULL, expires_at = now() + interval '1 day'")

const waiting = ({ space_id, id, key }: Target) => ({
  ...{ space_id, id, key },
  ...{ org_id: null, created_by: null, size: '1' },
})
const content = ({ key }: Target) => ({
  ...{ key, media_type: 'text/plain', size: 2, sha256: Buffer.alloc(32), scan: null },
})

const STATEMENTS: Readonly<Record<string, Statement>> = {
  'a content that waits': {
    ...{ ...WAITING, parts: ['space_id', 'id', 'key'] },
    run: ({ system }, at) => scans.selectWaiting(system, { space: at.space_id, id: at.id, key: at.key }),
  },
  'an attempt': {
    ...{ ...WAITING, parts: ['space_id', 'id', 'key'] },
    run: ({ system }, at) => scans.countAttempt(system, waiting(at)),
  },
  'a verdict': {
    ...{ ...WAITING, parts: ['space_id', 'id', 'key'] },
    run: ({ system }, at) => scans.updateScan(system, waiting(at), { scan: 'clean', finding: null }),
  },
  'a release of what is held': {
    ...{ right: scanned('held'), wrong: HELD, parts: ['space_id', 'id'] },
    run: ({ system }, at) => scans.updateReleased(system, at.space_id, at.id),
  },
  'a release of what is infected': {
    ...{ right: scanned('infected'), wrong: HELD, parts: ['space_id', 'id'] },
    run: ({ system }, at) => scans.updateReleased(system, at.space_id, at.id),
  },
  'another name': {
    ...{ right: PRESENT, wrong: [TRASHED], parts: ['id', 'versions'] },
    run: ({ own }, at) => queries.updateName(own, at.id, 'another', at.versions),
  },
  'another content': {
    ...{ right: PRESENT, wrong: [TRASHED], parts: ['id', 'versions'] },
    run: ({ own }, at) => queries.updateContent(own, at.id, content(at), at.versions),
  },
  'the trash': {
    ...{ right: PRESENT, wrong: [TRASHED], parts: ['id', 'versions'] },
    run: ({ own }, at) => queries.markDeleted(own, at.id, 1000, at.versions),
  },
  'the way back': {
    ...{ right: TRASHED, wrong: [PRESENT], parts: ['id'] },
    run: ({ own }, at) => queries.unmarkDeleted(own, at.id, 1000),
  },
  'the end': {
    ...{ right: TRASHED, wrong: [], parts: ['id', 'versions'] },
    run: ({ own }, at) => queries.deleteFile(own, at.id, at.versions),
  },
  'an upload': {
    ...{ right: OPEN, wrong: [uploaded('expires_at = now()')], parts: ['id'] },
    run: ({ own }, at) => uploads.selectUpload(own, at.id),
  },
  'its length': {
    ...{ right: OPEN, wrong: [uploaded('length = 5')], parts: ['id'] },
    run: ({ own }, at) => uploads.updateLength(own, at.id, 4),
  },
  'all of it': {
    ...{ right: OPEN, wrong: [uploaded('completed_at = now()')], parts: ['id'] },
    run: ({ own }, at) => uploads.markCompleted(own, at.id, 1000),
  },
  'all of it, once no object is its own': {
    ...{ right: OPEN, wrong: [uploaded('key = NULL, length = 1')], parts: ['id'] },
    run: ({ own }, at) => uploads.markCompleted(own, at.id, 1000),
  },
  'what the file has': {
    ...{ right: OPEN, wrong: [uploaded('key = NULL, length = 1')], parts: ['id'] },
    run: ({ own }, at) => uploads.finishUpload(own, at.id, 4),
  },
  "the store's id": {
    ...{ right: OPEN, wrong: [], parts: ['id'] },
    run: async ({ own }, at) => {
      await uploads.updateStoreUpload(own, at.id, 'an id')
      return (await uploads.selectUpload(own, at.id))?.store_upload_id
    },
  },
  'no upload': {
    ...{ right: OPEN, wrong: [], parts: ['id'] },
    run: async ({ own }, at) => {
      const before = await uploads.selectUpload(own, at.id)
      await uploads.deleteUpload(own, at.id)
      return before
    },
  },
}

t.test('a statement does what it does with one file, which has to be as it asks for', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const [space, other] = [(await signUp()).user.id, (await signUp()).user.id]
  const system = new SystemDatabase(app.db)
  const databases = { own: new UserDatabase(app.db, space), system }
  const id = uuidv7()
  const [key, beside, foreign] = ['1', '2', '3'].map((digit) => digit.repeat(32))
  const next = uuidv7()
  const reset = async () => {
    await db.query('DELETE FROM files')
    await db.query('DELETE FROM stored_objects')
    // One beside it, and one of somebody else that has the same id.
    for (const [owner, file, object] of [
      [space, id, key],
      [space, next, beside],
      [other, id, foreign],
    ]) {
      await db.query(
        `WITH o AS (INSERT INTO stored_objects (key, store, space_id, bytes, state, expires_at)
           VALUES ($3, 'local', $1, 1, 'kept', now()) RETURNING key)
         INSERT INTO files (space_id, id, user_id, purpose, name, key, media_type, size, sha256, written_at)
         SELECT $1, $2, $1, 'attachment', 'a file', key, 'text/plain', 1, sha256(''), now() FROM o`,
        [owner, file, object],
      )
      await db.query(
        `INSERT INTO uploads (space_id, id, user_id, key, expires_at)
         VALUES ($1, $2, $1, $3, now() + interval '1 day')`,
        [owner, file, object],
      )
    }
  }
  const rowsOf = (condition: string) =>
    db.query(
      `SELECT f.*, to_jsonb(u) AS upload FROM files f LEFT JOIN uploads u USING (space_id, id)
       WHERE ${condition} ORDER BY f.key`,
      [space, id],
    )
  const isTarget = 'f.space_id = $1 AND f.id = $2'
  for (const [name, { parts, right, wrong, run }] of Object.entries(STATEMENTS)) {
    await reset()
    for (const state of wrong) {
      for (const file of [id, next]) await db.query(state, [file])
      const before = await rowsOf('$1::uuid IS NOT NULL AND $2::uuid IS NOT NULL')
      const target = { space_id: space, id, key: key ?? '', versions: undefined }
      t.notOk(await run(databases, target), `${name}: ${state}`)
      t.strictSame(await rowsOf('$1::uuid IS NOT NULL AND $2::uuid IS NOT NULL'), before)
    }
    await reset()
    for (const file of [id, next]) await db.query(right, [file])
    const [row] = await db.query<{ at: string }>(
      'SELECT updated_at::text AS at FROM files WHERE space_id = $1 AND id = $2',
      [space, id],
    )
    const target = { space_id: space, id, key: key ?? '', versions: row && [row.at] }
    const others: Record<Part, Partial<Target>> = {
      space_id: { space_id: uuidv7() },
      id: { id: uuidv7() },
      key: { key: beside ?? '' },
      versions: { versions: ['2020-01-01T00:00:00.000Z'] },
    }
    const all = await rowsOf('$1::uuid IS NOT NULL AND $2::uuid IS NOT NULL')
    for (const part of parts) {
      t.notOk(await run(databases, { ...target, ...others[part] }), `${name}: another ${part}`)
      t.strictSame(await rowsOf('$1::uuid IS NOT NULL AND $2::uuid IS NOT NULL'), all)
    }
    const rest = await rowsOf(`NOT (${isTarget})`)
    t.equal(rest.length, 2)
    t.ok(await run(databases, target), name)
    t.strictSame(await rowsOf(`NOT (${isTarget})`), rest, `${name}: no other file`)
  }

  await reset()
  await db.query(uploaded('key = NULL, length = 1'), [next])
  t.equal(await deleteUnfinished(system), 2)
  t.strictSame(await db.query('SELECT id FROM uploads'), [{ id: next }], 'the file has its object')
})
