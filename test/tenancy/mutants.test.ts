import t from 'tap'
import type { Statement } from '#lib/database/database.ts'
import { OrgDatabase } from '#lib/database/scoped-database.ts'
import { amount } from '#test/support/amount.ts'
import { createTestApp } from '#test/support/helper.ts'
import { RouteProof } from './route-proof.ts'
import { tenantTablesOf } from './tables.ts'

/** The condition of every statement of an organization, and what becomes of it when somebody forgets it. */
const CONDITION = /\b((?:\w+\.)?(?:org_id|id)) = \$1\b/
const WITHOUT = '$1::uuid IS NOT NULL'

/** Statements that lose their condition, and the operations that show it: one that reads, lists, and deletes. */
const SAMPLE = {
  statements: ['selectProject', 'selectMembers', 'deleteInvitation'],
  operations: new Set(['getProject', 'listMembers', 'deleteInvitation']),
}
const isLong = amount({ few: 0, many: 1 }) === 1

interface Weak {
  /** The statement that has no condition. */
  name: string | undefined
  /** The proof that asks. */
  proof: RouteProof | undefined
  /** Statements that have one, and the operations that run them. */
  readonly seen: Map<string, Set<string>>
}

t.test('the conditions of statements hold by themselves, without the policies', async (t) => {
  const weak: Weak = { name: undefined, proof: undefined, seen: new Map() }
  t.teardown(weaken(weak))
  const { app, db } = await createTestApp(t, {
    APP_ROLE: 'web',
    APP_RATE_LIMIT__ENABLED: 'false',
    // What it has in memory would hide what a statement returns.
    APP_AUTH__CACHE: 'false',
  })
  for (const table of await tenantTablesOf(db)) {
    await db.querySuper(`ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`)
  }
  // `npm run test:long` proves every operation so.
  const whole = new RouteProof({ app, db }, isLong ? undefined : SAMPLE.operations)
  weak.proof = whole
  t.strictSame(await whole.violations(), [])

  for (const name of SAMPLE.statements) {
    t.ok(weak.seen.has(name), name)
    weak.name = undefined
    weak.proof = undefined
    const found = await new RouteProof({ app, db }, weak.seen.get(name))
      .violations(() => {
        weak.name = name
      })
      // Helpers use the statement too.
      .catch((error: Error) => [error.message])
    t.ok(found.length > 0, `${name} without its organization: ${found[0]?.slice(0, 120)}`)
    t.notMatch(found.join('\n'), / 500 /, 'the statement itself is right')
  }
})

/** Takes the condition from one statement of the organizations; returns what undoes it. */
function weaken(weak: Weak): () => void {
  const prototype = Object.getPrototypeOf(OrgDatabase.prototype)
  const { query } = prototype
  prototype.query = function (this: OrgDatabase, statement: Statement) {
    const { name, text } = statement
    const isOfOrganization = this instanceof OrgDatabase && !/^\s*INSERT\b/.test(text) && CONDITION.test(text)
    if (!isOfOrganization) return query.call(this, statement)
    const operation = weak.proof?.current
    if (operation !== undefined) weak.seen.set(name, (weak.seen.get(name) ?? new Set()).add(operation))
    if (weak.name !== name) return query.call(this, statement)
    const changed = { ...statement, name: `weak_${name}`, text: text.replace(CONDITION, () => WITHOUT) }
    return query.call(this, changed)
  }
  return () => {
    prototype.query = query
  }
}
