import t from 'tap'
import type { Database } from '#lib/database/database.ts'
import { UserDatabase } from '#lib/database/scoped-database.ts'
import * as queries from '#services/invitations/queries.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

t.test("the invitations to one's address are found by an index, under the policies", async (t) => {
  const { app, signUp } = await borrowTestApp(t)
  const { user } = await signUp()
  await app.db.transaction(async (db) => {
    // The tables are small. What could not use the index would be read from end to end even so.
    await db.query({ name: 'preferIndexes', text: 'SET LOCAL enable_seqscan = off' })
    const plan: string[] = []
    const explained: Database = {
      async query({ text, ...statement }) {
        const explanation = { ...statement, text: `EXPLAIN ${text}`, prepare: false }
        for (const line of await db.query<object>(explanation)) plan.push(...Object.values(line))
        return []
      },
      transaction: (work) => work(explained),
    }
    const own = { email: user.email, before: null, limit: 10 }
    await queries.selectReceivedInvitations(new UserDatabase(explained, user.id), own)
    const conditions = plan.filter((line) => line.includes('Index Cond: (folded_email ='))
    t.equal(conditions.length, 2, 'of the statement, and of the policy that shows the names of organizations')
    t.notOk(
      plan.some((line) => line.includes('Seq Scan')),
      plan.join('\n'),
    )
  })
})
