import t from 'tap'
import type { Statement } from '#lib/database/database.ts'
import { OrgDatabase } from '#lib/database/scoped-database.ts'
import { amount } from '#test/support/amount.ts'
import { createTestApp } from '#test/support/helper.ts'
import { RouteProof } from './route-proof.ts'
import { tenantTablesOf } from './tables.ts'

/** The condition of every statement of an organization, and what becomes of it when somebody forgets it. */
const CONDITION = /\b((?:\w+\.)?(?:org_id|space_id|id)) = \$1(?!\d)/
const WITHOUT = '$1::uuid IS NOT NULL'

/** Statements that `npm test` takes the condition from, and the operations that show it; `npm run test:long`: from all. */
const SAMPLE = {
  statements: ['selectProject', 'selectMembers', 'deleteInvitation'],
  operations: new Set(['getProject', 'listMembers', 'deleteInvitation']),
}

/** Statements whose condition is not missed, each with what keeps organizations apart without it, or what it then does. */
const UNNOTICED: Readonly<Record<string, string>> = {
  countApiKeys: 'counts the keys of all',
  countMembers: 'counts the members of all',
  deleteInvitationsBy: 'withdraws what the removed or demoted has sent elsewhere',
  lockMembers: 'waits for changes of all',
  recordWebhookAttempt: 'a delivery that was just created',
  replaceApiKey: 'the key was read before',
  replaceWebhookSecret: 'the webhook was read before',
  resumeWebhookDeliveries: 'the webhook was read before',
  resumeWebhookDelivery: 'the webhook was read before',
  selectAcceptedApiKey: 'the digest of the key is compared after it',
  selectAuditHead: 'shows the hash of the longest chain, which is not that of the other organization here',
  selectOwnerExists:
    'takes the owner of another organization for one of this, so that a last one could leave',
  selectMemberExists: 'takes a member of another organization for one of this',
  selectWebhookAttempts: 'the delivery was read before',
  selectWebhookDeliveries: 'the webhook was read before',
  selectWebhookDelivery: 'the webhook was read before',
  unmarkOrganizationDeleted: 'no other organization is deleted here',
  updateFileContent: 'the file was read before',
}
const isLong = amount({ few: 0, many: 1 }) === 1

interface Weak {
  /** The statement that has no condition. */
  name: string | undefined
  /** The proof that asks. */
  proof: RouteProof | undefined
  /** Statements that have one, and the operations that run them. */
  readonly seen: Map<string, Set<string>>
  /** Codes of errors that it met in PostgreSQL. */
  readonly errors: Set<unknown>
}

t.test('the conditions of statements hold by themselves, without the policies', async (t) => {
  const weak: Weak = { name: undefined, proof: undefined, seen: new Map(), errors: new Set() }
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
  const whole = new RouteProof({ app, db }, isLong ? undefined : SAMPLE.operations)
  weak.proof = whole
  t.strictSame(await whole.violations(), [])

  const all = [...weak.seen.keys()].filter((name) => !Object.hasOwn(UNNOTICED, name))
  for (const name of isLong ? all : SAMPLE.statements) {
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
  }
  t.notMatch([...weak.errors].join(' '), /\b42/, 'the statements themselves are right')
})

/** Takes the condition from one statement of the organizations; returns what undoes it. */
function weaken(weak: Weak): () => void {
  const prototype = Object.getPrototypeOf(OrgDatabase.prototype)
  const { query } = prototype
  prototype.query = function (this: OrgDatabase, statement: Statement) {
    const { name, text } = statement
    const isOfOrganization = this instanceof OrgDatabase && statement.values?.[0] === this.org
    if (!isOfOrganization || /^\s*INSERT\b/.test(text) || !CONDITION.test(text))
      return query.call(this, statement)
    const operation = weak.proof?.current
    if (operation !== undefined) weak.seen.set(name, (weak.seen.get(name) ?? new Set()).add(operation))
    if (weak.name !== name) return query.call(this, statement)
    const changed = { ...statement, name: `weak_${name}`, text: text.replace(CONDITION, () => WITHOUT) }
    return query.call(this, changed).catch((error: { code?: unknown }) => {
      weak.errors.add(error.code)
      throw error
    })
  }
  return () => {
    prototype.query = query
  }
}
