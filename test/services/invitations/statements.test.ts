import { randomBytes } from 'node:crypto'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { transaction } from '#lib/database/database.ts'
import { OrgDatabase, SystemDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import * as invitations from '#services/invitations/invitations.ts'
import { type Fate, tellInvitedJob } from '#services/invitations/jobs.ts'
import * as queries from '#services/invitations/queries.ts'
import * as memberRecords from '#services/members/records.ts'
import { Forbidden } from '#services/users/errors.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createOrganization, type TestOrganization } from '#test/support/organizations.ts'

const LATER = '2999-01-01T00:00:00.000Z'

t.test('statements about invitations', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const [tenant, other] = [await createOrganization(app), await createOrganization(app)]
  const admin = await tenant.add('admin')
  await other.add('admin', admin)
  const invited = await signUp()
  const all = new SystemDatabase(app.db)
  const of = ({ organization }: TestOrganization) => new OrgDatabase(app.db, organization.id)
  const own = of(tenant)

  async function insert(values: {
    email?: string
    role?: 'member' | 'admin'
    by?: string
    in?: TestOrganization
  }) {
    const [id, digest] = [uuidv7(), randomBytes(32)]
    const { email = `${id}@example.com`, role = 'member', by = admin.user.id } = values
    const row = { id, digest, email, role, invited_by: by, expires_at: LATER }
    const made = await queries.insertInvitation(of(values.in ?? tenant), row)
    return { ...row, made }
  }
  const there = async () =>
    (await db.query<{ id: string }>('SELECT id FROM organization_invitations ORDER BY id')).map(
      ({ id }) => id,
    )
  const clear = () => db.query('DELETE FROM organization_invitations')
  const expire = (id: string) =>
    db.query("UPDATE organization_invitations SET expires_at = now() - interval '1 second' WHERE id = $1", [
      id,
    ])

  await t.test('find, change and delete the one that they name', async (t) => {
    const rows = [await insert({}), await insert({}), await insert({ in: other })]
    const [first, second] = rows
    if (first === undefined || second === undefined) return
    for (const { id, email, digest } of rows.slice(0, 2)) {
      t.match(await queries.selectInvitation(own, id), { id, email })
      t.match(await queries.selectOpenInvitation(own, digest), { email, role: 'member' })
    }
    const next = {
      id: second.id,
      digest: randomBytes(32),
      invited_by: tenant.owner.user.id,
      expires_at: LATER,
    }
    t.match(await queries.updateInvitation(own, next), { id: second.id, invited_by: tenant.owner.user.id })
    t.match(await queries.selectInvitation(own, first.id), { invited_by: admin.user.id })
    t.equal(await queries.selectOpenInvitation(own, second.digest), undefined)
    t.match(await queries.selectOpenInvitation(own, next.digest), { email: second.email })
    t.equal(await queries.updateInvitation(own, { ...next, id: uuidv7() }), undefined)
    t.match(await queries.deleteInvitation(own, second.id), { id: second.id })
    t.strictSame(await there(), [rows[0]?.id, rows[2]?.id])
    const taken = { id: first.id, email: first.email }
    t.strictSame(await queries.takeInvitation(own, first.digest), taken)
    t.equal(await queries.takeInvitation(own, first.digest), undefined)
    t.strictSame(await there(), [rows[2]?.id])
    await clear()
  })

  await t.test('list them, the newest first, each on one page', async (t) => {
    const ids = [await insert({}), await insert({}), await insert({})].map(({ id }) => id).reverse()
    const page = async (before: string | null, limit: number) =>
      (await queries.selectInvitations(own, { before, limit })).map(({ id }) => id)
    t.strictSame(await page(null, 2), ids.slice(0, 2))
    t.strictSame(await page(ids[1] ?? null, 2), ids.slice(2))
    await clear()
  })

  await t.test('list what one has received and can accept, the newest first', async (t) => {
    const { email, id: user } = invited.user
    const [early, late] = [await insert({ email }), await insert({ email: email.toUpperCase(), in: other })]
    await insert({})
    const received = async (before: string | null = null) => {
      const asked = { email, before, limit: 9 }
      const rows = await queries.selectReceivedInvitations(new UserDatabase(app.db, user), asked)
      return rows.map(({ id }) => id)
    }
    t.strictSame(await received(), [late.id, early.id])
    t.strictSame(await received(late.id), [early.id])
    await expire(late.id)
    t.strictSame(await received(), [early.id])
    for (const column of ['deleted_at', 'suspended_at']) {
      const set = (value: string) =>
        db.query(`UPDATE organizations SET ${column} = ${value} WHERE id = $1`, [own.org])
      await set('now()')
      t.strictSame(await received(), [], column)
      t.equal(await queries.selectOpenInvitation(own, early.digest), undefined, column)
      t.equal(await queries.takeInvitation(own, early.digest), undefined, column)
      await set('NULL')
    }
    await expire(early.id)
    t.equal(await queries.selectOpenInvitation(own, early.digest), undefined)
    t.equal(await queries.takeInvitation(own, early.digest), undefined)
    await clear()
  })

  await t.test('put one in the place of another that has expired, and of no other', async (t) => {
    const email = 'again@example.com'
    const first = await insert({ email })
    t.equal((await insert({ email: 'AGAIN@example.com' })).made, undefined)
    await expire(first.id)
    await db.query("UPDATE organization_invitations SET created_at = '2000-01-01T00:00:00Z'")
    const next = await insert({ email: 'Again@example.com', role: 'admin', by: tenant.owner.user.id })
    const { id, role, invited_by, expires_at } = next
    t.match(next.made, { id, email: 'Again@example.com', role, invited_by, expires_at })
    t.notMatch(next.made?.created_at, /^2000/)
    t.match(await queries.selectOpenInvitation(own, next.digest), { role: 'admin' })
    t.strictSame(await there(), [id])
    await clear()
  })

  await t.test('withdraw what somebody has sent, to some roles or everywhere', async (t) => {
    const by = tenant.owner.user.id
    const [toMember, toAdmin, elsewhere] = [
      await insert({}),
      await insert({ role: 'admin' }),
      await insert({ in: other }),
    ]
    const [of, theirs] = [await insert({ by }), await insert({ in: other, by: other.owner.user.id })]
    const { id, email } = toAdmin
    t.strictSame(await queries.deleteInvitationsBy(own, admin.user.id, ['admin', 'owner']), [{ id, email }])
    const gone = await queries.deleteInvitationsOf(all, admin.user.id)
    t.strictSame(
      gone.map((row) => [row.org_id, row.id, row.email].join()).sort(),
      [
        [own.org, toMember.id, toMember.email].join(),
        [other.organization.id, elsewhere.id, elsewhere.email].join(),
      ].sort(),
    )
    t.strictSame(await there(), [of.id, theirs.id])
    await clear()
  })

  await t.test('an account that is deleted meanwhile invites nobody, and resends nothing', async (t) => {
    const leaving = await tenant.add('admin')
    const member = memberRecords.forNewOrganization(app.ctx, own.org, leaving.user.id)
    const { id } = await insert({})
    const leavesBefore = (statement: string) =>
      transaction(member, async (tx) => {
        const db = tx.db.through((parent) => ({
          transaction: (work) => parent.transaction(work),
          async query(asked) {
            if (asked.name.startsWith(statement))
              await tx.db.query({
                name: 'leave',
                text: 'DELETE FROM memberships WHERE user_id = $1',
                values: [leaving.user.id],
              })
            return parent.query(asked)
          },
        }))
        const as = { ...tx, db }
        if (statement === 'insertInvitation')
          await invitations.create(as, { email: 'x@example.com', role: 'member' })
        else await invitations.resend(as, id)
      })
    for (const statement of ['insertInvitation', 'updateInvitation'])
      await t.rejects(leavesBefore(statement), Forbidden, statement)
  })
})

t.test('the account of an address is told of its invitation if it has confirmed the address', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const [account, unconfirmed, away] = [await signUp(), await signUp(), await signUp()]
  await db.query('UPDATE users SET email_verified_at = NULL WHERE id = $1', [unconfirmed.user.id])
  await db.query('UPDATE users SET is_active = false WHERE id = $1', [away.user.id])
  const org = uuidv7()
  const tell = async (email: string, news: { role: 'admin' } | { fate: Fate }) => {
    let completed = 0
    const complete = async () => void completed++
    const run = { id: uuidv7(), attempt: 1, signal: new AbortController().signal, complete }
    await tellInvitedJob.handler(app.ctx, { org, id: uuidv7(), email, ...news }, run)
    t.equal(completed, 1)
    const text = `SELECT type, told_to, org_id, data FROM events
      WHERE type LIKE 'invitations.%' OR type LIKE 'organizations.%' ORDER BY id`
    return db.query<{ type: string }>(text)
  }
  const nobody = 'nobody@example.com'
  for (const email of [nobody, unconfirmed.user.email, away.user.email])
    t.strictSame(await tell(email, { role: 'admin' }), [], email)
  const told = { told_to: account.user.id, org_id: org }
  const { email } = account.user
  t.match(await tell(email, { role: 'admin' }), [{ ...told, data: '{"role":"admin"}' }])
  for (const fate of ['resent', 'revoked', 'declined'] as const) {
    const found = (await tell(email, { fate })).at(-1)
    t.match(found, { ...told, type: new RegExp(`${fate}$`), data: '{}' })
  }
})
