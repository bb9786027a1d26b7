import t from 'tap'
import { OrgDatabase, SystemDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import { MemberNotFound } from '#services/members/errors.ts'
import * as queries from '#services/members/queries.ts'
import * as records from '#services/members/records.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createOrganization } from '#test/support/organizations.ts'

t.test('statements about members', async (t) => {
  const { app, db, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const [tenant, other] = [await createOrganization(app), await createOrganization(app)]
  const { owner } = tenant
  const [admin, member] = [await tenant.add('admin'), await tenant.add('member')]
  await other.add('admin', member)
  const stranger = await signUp()
  const [org, otherOrg] = [tenant.organization.id, other.organization.id]
  const [own, all] = [new OrgDatabase(app.db, org), new SystemDatabase(app.db)]
  const as = (user: typeof owner) => new UserDatabase(app.db, user.user.id)
  const roles = async (of = org) =>
    Object.fromEntries(
      (
        await db.query<{ user_id: string; role: string }>(
          'SELECT user_id, role FROM memberships WHERE org_id = $1',
          [of],
        )
      ).map(({ user_id, role }) => [user_id, role]),
    )
  const setActive = (user: typeof owner, isActive: boolean) =>
    db.query('UPDATE users SET is_active = $2 WHERE id = $1', [user.user.id, isActive])
  const before = await roles()
  const there = await roles(otherOrg)

  await t.test('read the rights of whom they name', async (t) => {
    const open = { deleted_at: null, suspended_at: null }
    for (const [user, role] of [
      [owner, 'owner'],
      [admin, 'admin'],
      [member, 'member'],
    ] as const) {
      t.match(await queries.selectMembership(own, user.user.id), { role, ...open })
      const { id: user_id, email, username } = user.user
      t.match(await queries.selectMember(own, user_id), { user_id, email, username, role })
    }
    t.equal(await queries.selectMembership(own, stranger.user.id), undefined)
    t.equal(await queries.selectMember(own, stranger.user.id), undefined)
    t.strictSame((await queries.selectMemberIds(all, org)).sort(), Object.keys(before).sort())
    t.equal(await queries.countMembers(own), 3)
  })

  await t.test('read the rights of many at once, in the organization of each', async (t) => {
    const asked = [
      [org, admin],
      [org, member],
      [otherOrg, member],
      [otherOrg, admin],
      [org, stranger],
    ] as const
    const found = await queries.selectMemberships(
      all,
      asked.map(([id]) => id),
      asked.map(([, { user }]) => user.id),
    )
    t.strictSame(
      found.map(({ org_id, user_id, role }) => [org_id, user_id, role].join()).sort(),
      [
        [org, admin.user.id, 'admin'].join(),
        [org, member.user.id, 'member'].join(),
        [otherOrg, member.user.id, 'admin'].join(),
      ].sort(),
    )
  })

  await t.test('find a member by the address in any case', async (t) => {
    t.ok(await queries.selectMemberExists(own, admin.user.email.toUpperCase()))
    t.notOk(await queries.selectMemberExists(own, stranger.user.email))
    t.notOk(await queries.selectMemberExists(own, other.owner.user.email))
  })

  await t.test('list them, the oldest account first, each on one page', async (t) => {
    const ids = [owner, admin, member].map(({ user }) => user.id)
    const page = async (after: string | null, limit: number) =>
      (await queries.selectMembers(own, { after, limit })).map(({ user_id }) => user_id)
    t.strictSame(await page(null, 2), ids.slice(0, 2))
    t.strictSame(await page(ids[0] ?? null, 9), ids.slice(1))
    t.strictSame(await page(ids[2] ?? null, 9), [])
  })

  await t.test('know owners who can sign in, and those who look after an organization', async (t) => {
    t.ok(await queries.selectOwnerExists(own, null))
    t.ok(await queries.selectOwnerExists(own, admin.user.id))
    t.notOk(await queries.selectOwnerExists(own, owner.user.id), 'an admin is not one')
    t.strictSame(await queries.selectAdministrators(own), [owner.user.email, admin.user.email])
    await setActive(owner, false)
    t.notOk(await queries.selectOwnerExists(own, null))
    t.strictSame(await queries.selectAdministrators(own), [admin.user.email])
    await setActive(owner, true)
    t.strictSame(await queries.selectOwnedOrganizations(as(owner)), [org])
    t.strictSame(await queries.selectOwnedOrganizations(as(member)), [])
    t.equal(await records.countOwned(app.ctx, member.user.id), 0)
    t.strictSame(await records.findAbandoned(app.ctx, owner.user.id), { withMembers: [org], empty: [] })
    t.strictSame(await records.findAbandoned(app.ctx, member.user.id), { withMembers: [], empty: [] })
  })

  await t.test('name twenty of many who look after an organization', async (t) => {
    const crowd = await createOrganization(app)
    await db.query(
      `WITH made AS (
         INSERT INTO users (id, email, username, password_hash)
         SELECT uuidv7(), 'crowd' || n || '@example.com', 'crowd' || n, '$argon2id$x' FROM generate_series(1, 20) AS n
         RETURNING id)
       INSERT INTO memberships (org_id, user_id, role) SELECT $1, id, 'admin' FROM made`,
      [crowd.organization.id],
    )
    const found = await queries.selectAdministrators(new OrgDatabase(app.db, crowd.organization.id))
    t.equal(found.length, 20)
    t.equal(found[0], crowd.owner.user.email)
  })

  await t.test('change whom they name, in this organization alone', async (t) => {
    t.equal(await queries.insertMembership(own, admin.user.id, 'owner'), false)
    t.strictSame(await roles(), before, 'a member stays what they are')
    await queries.updateMembershipRole(own, member.user.id, 'owner')
    t.strictSame(await roles(), { ...before, [member.user.id]: 'owner' })
    await queries.deleteMembership(own, member.user.id)
    const { [member.user.id]: _gone, ...left } = before
    t.strictSame(await roles(), left)
    t.strictSame(await roles(otherOrg), there)
    t.equal(await queries.insertMembership(own, member.user.id, 'member'), true)
    t.strictSame(await roles(), before)
  })
})

t.test('an owner is appointed who is a member and can sign in, once', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const tenant = await createOrganization(app)
  const { id: org } = tenant.organization
  const [member, away] = [await tenant.add('member'), await tenant.add('member')]
  await db.query('UPDATE users SET is_active = false WHERE id = $1', [away.user.id])
  const appoint = (user: string) =>
    app.db.transaction((tx) => records.appoint({ ...app.ctx, db: tx }, org, user))
  const told = () => db.query("SELECT data, subject_id FROM events WHERE type = 'members.updated'")
  await t.rejects(appoint(away.user.id), MemberNotFound)
  await t.rejects(appoint(org), MemberNotFound)
  t.strictSame(await told(), [])
  for (let count = 0; count < 2; count++) await appoint(member.user.id)
  t.strictSame(await told(), [{ data: '{"role":"owner"}', subject_id: member.user.id }])
})
