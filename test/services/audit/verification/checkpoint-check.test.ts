import t from 'tap'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { openNote } from '#lib/signed-note/signed-note.ts'
import {
  type Checkpoint,
  checkpointText,
  cutText,
  parseCheckpoint,
  signAuditNote,
  textDigest,
} from '#services/audit/checkpoint-note.ts'
import { cutBefore } from '#services/audit/cuts.ts'
import { checkCheckpoints, checkCuts } from '#services/audit/verification/checkpoint-check.ts'
import type { Problem } from '#services/audit/verification/problems.ts'
import { verify } from '#services/audit/verification/verify.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { checkpoint, logContext, openAsSuperuser } from '../log.ts'
import { sqlOf } from '../victim.ts'

const CHECKPOINTS = 4

t.test('of checkpoints everything is named that is wrong, and nothing else', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const ctx = logContext(app)
  const tenant = await createOrganization(app)
  const org = tenant.organization.id
  const notes: string[] = []
  for (let number = 1; number <= CHECKPOINTS; number++) {
    await tenant.createProject()
    notes.push(await checkpoint(ctx))
  }
  const own = await openAsSuperuser(t, db.superuserUrl)
  const sql = sqlOf(own)
  const { keyRing, noteKeys } = ctx.audit
  const statementOf = (number: number): Checkpoint => {
    const found = parseCheckpoint(openNote(notes[number - 1] ?? '', []).text)
    if (found === undefined) throw new Error(`there is no checkpoint ${number}`)
    return found
  }
  /** The note of a checkpoint that says something else, as who has the key would sign it. */
  const signed = (number: number, changes: Partial<Checkpoint>, keys: typeof keyRing = keyRing) =>
    signAuditNote(checkpointText({ ...statementOf(number), ...changes }), keys)
  const replace = (number: number, note: string) =>
    sql('UPDATE audit_checkpoints SET note = $2 WHERE number = $1', [number, note])

  /** Does something to the log, and returns what is found with these notes kept elsewhere; the log is as before then. */
  async function found(change: () => Promise<unknown>, published: readonly string[] = []) {
    await sql('BEGIN')
    await change()
    const { problems, ...rest } = await checkCheckpoints(new SystemDatabase(own), noteKeys, published)
    await sql('ROLLBACK')
    return { ...rest, problems: problems.map(({ detail: _detail, ...problem }) => problem) }
  }
  const problemsOf = async (...args: Parameters<typeof found>) => (await found(...args)).problems
  const at = (kind: Problem['kind'], number: number) => ({ kind, checkpoint: number })
  const nothing = async () => undefined

  await t.test('a log that nobody touched', async (t) => {
    const { problems, count, unsigned, signedUpTo, unmet } = await found(nothing, notes)
    t.strictSame({ problems, count, unsigned }, { problems: [], count: CHECKPOINTS, unsigned: 0 })
    const [end] = await sql('SELECT max(seq)::float8 AS seq FROM audit_seals WHERE org_id = $1', [org])
    t.equal(signedUpTo.get(org), end?.['seq'])
    t.equal(unmet.size, 0)
  })

  await t.test('notes that follow from no other, or are not those that were published', async (t) => {
    const zeros = Buffer.alloc(32)
    t.strictSame(await problemsOf(() => replace(3, signed(3, { previous: zeros }))), [
      at('checkpoint_replayed', 3),
      at('checkpoint_replayed', 4),
    ])
    const previous = textDigest(openNote(notes[0] ?? '', []).text)
    t.strictSame(await problemsOf(() => replace(1, signed(1, { previous }))), [
      at('checkpoint_replayed', 1),
      at('checkpoint_replayed', 2),
    ])
    const another = signed(4, { at: '2999-01-01T00:00:00.000Z' })
    t.strictSame(await problemsOf(nothing, [another]), [at('checkpoint_replayed', 4)])
    t.strictSame(await problemsOf(() => replace(4, signed(4, { number: 7 }))), [at('checkpoint_replayed', 4)])
  })

  await t.test('heads, sizes and times that are not those that were signed', async (t) => {
    for (const changes of [
      { size: statementOf(4).size + 1 },
      { root: Buffer.alloc(32) },
      { at: '2999-01-01T00:00:00.000Z' },
    ])
      t.strictSame(await problemsOf(() => replace(4, signed(4, changes))), [at('checkpoint_changed', 4)])
  })

  await t.test('notes that nobody has signed, after one that is signed', async (t) => {
    const unsigned = (number: number) => signAuditNote(checkpointText(statementOf(number)), undefined)
    t.strictSame(await problemsOf(() => replace(2, unsigned(2))), [at('checkpoint_changed', 2)])
    const first = await found(() => replace(1, unsigned(1)))
    t.match(first, { problems: [], unsigned: 1, count: CHECKPOINTS }, 'there may have been no key')
    t.equal(first.problems.length, 0)
    const all = await found(async () => {
      for (let number = 1; number <= CHECKPOINTS; number++) await replace(number, unsigned(number))
    })
    t.strictSame([all.problems, all.unsigned, all.signedUpTo.size], [[], CHECKPOINTS, 0])
    const unknown = signed(3, {}, logContext(app).audit.keyRing)
    t.strictSame(await problemsOf(() => replace(3, unknown)), [at('checkpoint_changed', 3)])
  })

  await t.test('checkpoints that are gone', async (t) => {
    const without = (condition: string) => () =>
      sql(`DELETE FROM audit_checkpoints WHERE number ${condition}`)
    t.strictSame(await problemsOf(without('IN (2, 3)')), [
      at('checkpoint_deleted', 2),
      at('checkpoint_deleted', 3),
    ])
    t.strictSame(await problemsOf(without('= 1')), [at('checkpoint_deleted', 1)])
    t.strictSame(await problemsOf(without('> 1')), [], 'nobody knows of them')
    t.strictSame(await problemsOf(without('> 1'), notes.toReversed()), [at('truncated', 2)])
    t.strictSame(await problemsOf(without('> 3'), notes), [at('truncated', 4)])
  })

  await t.test('published notes that are not notes, or were changed', async (t) => {
    const changed = (notes[0] ?? '').replace('number 1', 'number 9')
    const named = [{ kind: 'checkpoint_changed' }]
    for (const note of ['no note', changed]) t.strictSame(await problemsOf(nothing, [note, ...notes]), named)
  })

  await t.test('heads that the chain does not have', async (t) => {
    const end = Math.max(
      ...(await sql('SELECT seq::float8 AS seq FROM audit_seals WHERE org_id = $1', [org])).map(({ seq }) =>
        Number(seq),
      ),
    )
    const other = await found(() =>
      sql("UPDATE audit_seals SET hash = sha256('x') WHERE org_id = $1 AND seq = $2", [org, end]),
    )
    t.strictSame(other.unmet.get(org), [{ checkpoint: 4, seq: end, isThere: true }])
    t.equal(other.signedUpTo.get(org), end - 1)
    const gone = await found(() =>
      sql('DELETE FROM audit_seals WHERE org_id = $1 AND seq >= $2', [org, end - 1]),
    )
    t.strictSame(gone.unmet.get(org), [
      { checkpoint: 3, seq: end - 1, isThere: false },
      { checkpoint: 4, seq: end, isThere: false },
    ])
  })

  await t.test('beginnings that were cut off, by whom', async (t) => {
    await cutBefore(ctx, new Date('2999-01-01'), org)
    const [cut] = await sql('SELECT seq::float8 AS seq, hash, at FROM audit_cuts')
    const [seq, hash] = [Number(cut?.['seq']), cut?.['hash']]
    if (!Buffer.isBuffer(hash)) throw new Error('the cut has no hash')
    const cuts = async (note?: string, keys = noteKeys) => {
      await sql('BEGIN')
      if (note !== undefined) await sql('UPDATE audit_cuts SET note = $1', [note])
      const { cuts, problems } = await checkCuts(new SystemDatabase(own), keys)
      await sql('ROLLBACK')
      return { cuts: [...cuts], problems: problems.map(({ detail: _detail, ...problem }) => problem) }
    }
    const fine = { cuts: [[org, seq]], problems: [] }
    const forged = { cuts: [], problems: [{ kind: 'cut_forged', org, last: seq }] }
    const text = cutText({ org, seq, hash, at: String(cut?.['at']) })
    const unsigned = signAuditNote(text, undefined)
    t.strictSame(await cuts(), fine)
    t.strictSame(await cuts(unsigned), forged)
    t.strictSame(await cuts(unsigned, []), fine, 'there is no key')
    t.strictSame(await cuts(undefined, []), forged, 'there was a key')
    const lie = cutText({ org, seq: seq + 1, hash, at: String(cut?.['at']) })
    t.strictSame(await cuts(signAuditNote(lie, keyRing)), forged)
    t.strictSame((await verify({ ...ctx, db: own }, { published: notes })).problems, [])
  })
})
