import { createHmac, randomBytes } from 'node:crypto'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { insertEntries } from '#bench/audit-entries.ts'
import { SYSTEM } from '#lib/context.ts'
import { linkHash } from '#services/audit/chain.ts'
import { newSalt } from '#services/audit/entry.ts'
import { Hmac } from '#services/audit/hmac.ts'
import type { Recordable } from '#services/audit/recorders.ts'
import { linkOf } from '#services/audit/verification/hashes.ts'
import { verify } from '#services/audit/verification/verify.ts'
import { createTestApp, type TestApp } from '#test/support/helper.ts'
import { logContext, openAsSuperuser, sealAll } from './log.ts'
import { sqlOf } from './victim.ts'

t.test('an HMAC is what Node makes of it, for keys and texts of all lengths', async (t) => {
  for (const keyBytes of [0, 1, 32, 63, 64]) {
    for (const length of [0, 1, 63, 64, 65, 400, 16 * 1024 - 64, 16 * 1024, 40_000]) {
      const [key, bytes] = [randomBytes(keyBytes), randomBytes(length)]
      const expected = createHmac('sha256', key).update(bytes).digest()
      t.equal(Buffer.from(new Hmac(key).of(bytes), 'latin1').compare(expected), 0, `${keyBytes}, ${length}`)
    }
  }
  t.throws(() => new Hmac(randomBytes(65)), RangeError)
})

t.test('links of great numbers are those of the chain', async (t) => {
  const [previous, digest] = [randomBytes(32), randomBytes(32)]
  for (const seq of [1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER]) {
    const link = linkOf(previous.toString('latin1'), seq, digest.toString('latin1'))
    t.equal(link, linkHash(previous, seq, digest).toString('latin1'), `${seq}`)
  }
})

t.test('salts are all different', async (t) => {
  const salts = Array.from({ length: 600 }, () => newSalt().toString('hex'))
  t.equal(new Set(salts).size, 600)
  t.ok(salts.every((salt) => salt.length === 32))
})

/** Writes entries of an organization. */
async function write({ app }: TestApp, org: string, count: number, userId = uuidv7()): Promise<string[]> {
  const client = { ip: '192.0.2.7', userAgent: 'test', actor: SYSTEM, requestId: null }
  const batch = Array.from({ length: count }, (_, index): Recordable => {
    const about = { type: 'projects.updated', subject: { type: 'project', id: uuidv7() }, data: { index } }
    const mark = (bytes: Buffer) => app.ctx.marker.mark(bytes)
    return { id: uuidv7(), org, ...about, actor: { kind: 'user', id: userId }, requestId: null, client, mark }
  })
  await insertEntries(app.db, batch)
  return batch.map(({ id }) => id)
}

t.test('entries are found wherever they are', async (t) => {
  const testApp = await createTestApp(t, { APP_ROLE: 'web' })
  const { app, db } = testApp
  const ctx = logContext(app)
  const own = await openAsSuperuser(t, db.superuserUrl)
  const sql = sqlOf(own)
  const [long, short, other] = [uuidv7(), uuidv7(), uuidv7()]
  const user = uuidv7()
  // Longer than what one statement reads, with ids in another order than the seals in places.
  await write(testApp, long, 40)
  await sql('CREATE TEMP TABLE late AS SELECT * FROM audit_intake')
  await sql('DELETE FROM audit_intake WHERE org_id = $1', [long])
  await write(testApp, long, 4100)
  await sealAll(ctx)
  await sql('INSERT INTO audit_intake SELECT * FROM late')
  await sealAll(ctx)
  await write(testApp, long, 300, user)
  for (let turn = 0; turn < 3; turn++) {
    await write(testApp, short, 5, user)
    await write(testApp, other, 7)
  }
  await sealAll(ctx)
  const found = async () => {
    const { problems, problemCount } = await verify(ctx)
    return {
      problems: problems.map(({ kind, org, seq, entry }) => ({ kind, org, seq, entry })),
      problemCount,
    }
  }
  const { entries, chains, problemCount } = await verify(ctx)
  t.strictSame({ entries, chains, problemCount }, { entries: 4476, chains: 3, problemCount: 0 })

  // A person's data may go, of all entries of a chain and of some in others.
  await sql('DELETE FROM audit_personal WHERE user_id = $1', [user])
  t.equal((await found()).problemCount, 0)

  const [at] = await sql('SELECT entry_id AS entry FROM audit_seals WHERE org_id = $1 AND seq = 4120', [long])
  await sql('DELETE FROM audit_entries WHERE org_id = $1 AND id = $2', [long, at?.['entry']])
  t.strictSame((await found()).problems, [
    { kind: 'entry_deleted', org: long, seq: 4120, entry: at?.['entry'] },
  ])

  // So many entries before the chain's own that these are in no window.
  await sql(
    `INSERT INTO audit_entries SELECT (jsonb_populate_record(e, jsonb_build_object(
       'id', '00000000-0000-7000-8000-' || lpad(n::text, 12, '0')))).*
     FROM audit_entries e, generate_series(1, 250) n
     WHERE e.org_id = $1 AND e.id = (SELECT id FROM audit_entries WHERE org_id = $1 LIMIT 1)`,
    [other],
  )
  const { problems } = await found()
  t.equal(problems.filter(({ kind, org }) => kind === 'entry_inserted' && org === other).length, 250)
  t.equal(problems.length, 251, 'and nothing is said to be missing')
})
