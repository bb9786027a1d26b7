import t from 'tap'
import type { Problem } from '#services/audit/verification/problems.ts'
import { verify } from '#services/audit/verification/verify.ts'
import { amount } from '#test/support/amount.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { checkpoint, logContext, openAsSuperuser, sealAll } from './log.ts'
import { TAMPERINGS } from './tamperings.ts'
import { type Expected, type SealRow, sqlOf, type Victim } from './victim.ts'

/** Every tampering this often, at random places. */
const TURNS = amount({ few: 2, many: 60 })
const CHECKPOINTS = 4

/** Numbers that look random, and are the same in every run. */
function randomFrom(seed: number): Victim['random'] {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

t.test('the owner of the database can change nothing of the log unseen', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const ctx = logContext(app)
  const tenants = [await createOrganization(app), await createOrganization(app)]
  const published: string[] = []
  for (let number = 1; number <= CHECKPOINTS; number++) {
    for (const tenant of tenants) for (let count = 0; count < 4; count++) await tenant.createProject()
    published.push(await checkpoint(ctx))
  }
  const covered = await seals(tenants[0]?.organization.id)
  for (const tenant of tenants) await tenant.createProject()
  await sealAll(ctx)
  const own = await openAsSuperuser(t, db.superuserUrl)
  const outside = { ...ctx, db: own }
  t.strictSame((await verify(outside, { published })).problems, [])

  function seals(org: string | undefined): Promise<SealRow[]> {
    return app.db.query<SealRow>({
      name: 'seals',
      text: `SELECT org_id AS org, seq::float8 AS seq, entry_id AS entry, digest, hash FROM audit_seals
             WHERE org_id = $1 ORDER BY seq`,
      values: [org],
      scope: { scope: 'system' },
    })
  }
  const chain = await seals(tenants[0]?.organization.id)
  const sql = sqlOf(own)
  for (const [name, tamper] of Object.entries(TAMPERINGS)) {
    await t.test(name, async (t) => {
      for (let turn = 0; turn < TURNS; turn++) {
        const random = randomFrom(turn * 7919 + 17)
        await sql('BEGIN')
        const expected = await tamper({
          sql,
          seals: chain,
          covered: covered.length,
          checkpoints: CHECKPOINTS,
          random,
        })
        const { problems } = await verify(outside, { published })
        for (const one of expected) {
          t.ok(
            problems.some((problem) => isNamed(problem, one)),
            `turn ${turn}`,
            { expected: one, problems },
          )
        }
        const wrong = problems.filter((problem) => !belongs(problem, expected))
        t.strictSame(wrong, [], 'nothing else is named')
        await sql('ROLLBACK')
      }
    })
  }
  t.strictSame((await verify(outside, { published })).problems, [], 'the log is as it was')
})

function isNamed(problem: Problem, expected: Expected): boolean {
  const { kind, org, seq, last, entry, checkpoint: number } = problem
  const found: Record<string, unknown> = { kind, org, seq, last, entry, checkpoint: number }
  return Object.entries(expected).every(([key, value]) => found[key] === value)
}

/** Whether a problem is what was done, or of the checkpoints over it; without these, ends of chains are under none. */
function belongs(problem: Problem, expected: readonly Expected[]): boolean {
  if (problem.checkpoint !== undefined) return true
  if (problem.kind === 'seals_uncovered' && expected.some(({ checkpoint }) => checkpoint !== undefined))
    return true
  return expected.some(
    ({ org, seq, entry }) =>
      org === problem.org && (seq === undefined || seq === problem.seq || entry === problem.entry),
  )
}
