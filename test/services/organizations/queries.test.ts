import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { OrgDatabase, SystemDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import * as queries from '#services/organizations/queries.ts'
import * as administration from '#services/organizations/queries-of-administration.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createOrganization, type TestOrganization } from '#test/support/organizations.ts'

const HOUR_MS = 3_600_000

t.test('statements about organizations', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const tenant = await createOrganization(app)
  const { owner } = tenant
  const [second, third] = [await createOrganization(app, owner), await createOrganization(app, owner)]
  const member = await tenant.add('member')
  const idOf = ({ organization }: TestOrganization) => organization.id
  const [org, all] = [idOf(tenant), new SystemDatabase(app.db)]
  const own = new OrgDatabase(app.db, org)
  const set = (changes: string, id = org) =>
    db.query(`UPDATE organizations SET ${changes} WHERE id = $1`, [id])
  const open = () => set('deleted_at = NULL, suspended_at = NULL, purge_requested_at = NULL, slug = NULL')
  const others = () =>
    db.query(
      `SELECT id, name, slug, deleted_at, suspended_at, purge_requested_at, updated_at FROM organizations
       WHERE id <> $1 ORDER BY id`,
      [org],
    )
  const before = await others()

  await t.test('list those of a user, the newest first, each on one page', async (t) => {
    const mine = async (user = owner, more: { before?: string; limit?: number } = {}) => {
      const asked = { before: null, limit: 9, grace: HOUR_MS, ...more }
      const rows = await queries.selectOrganizations(new UserDatabase(app.db, user.user.id), asked)
      return rows.map(({ id }) => id)
    }
    const ids = [third, second, tenant].map(idOf)
    t.strictSame(await mine(), ids)
    t.strictSame(await mine(owner, { limit: 2 }), ids.slice(0, 2))
    t.strictSame(await mine(owner, { before: idOf(second) }), [org])
    t.strictSame(await mine(member), [org])
    await set("deleted_at = now() - interval '59 minutes'")
    t.strictSame(await mine(), ids, 'the owner can restore it')
    t.strictSame(await mine(member), [])
    await set("deleted_at = now() - interval '61 minutes'")
    t.strictSame(await mine(), ids.slice(0, 2))
    await set('deleted_at = now(), purge_requested_at = now()')
    t.strictSame(await mine(), ids.slice(0, 2))
    await open()
  })

  await t.test('change and delete the one that they name in a version that is expected', async (t) => {
    const now = async () => (await queries.selectOrganization(own))?.updated_at ?? ''
    const old = ['2000-01-01T00:00:00.000Z']
    t.equal(await queries.updateOrganization(own, { name: 'Old' }, old), undefined)
    t.match(await queries.updateOrganization(own, { slug: 'slug' }, undefined), { slug: 'slug' })
    t.match(await queries.updateOrganization(own, { name: 'New' }, [await now()]), {
      name: 'New',
      slug: 'slug',
    })
    t.match(await queries.updateOrganization(own, { slug: null }, undefined), { name: 'New', slug: null })
    t.equal(await queries.markDeleted(own, old), false)
    t.equal(await queries.markDeleted(own, [await now()]), true)
    t.equal(await queries.markDeleted(own, undefined), false, 'it is deleted already')
    t.equal(await queries.updateOrganization(own, { name: 'Late' }, undefined), undefined)
    t.match(await queries.selectOrganization(own), { name: 'New', deleted_at: /Z$/ })
    await open()
  })

  await t.test('take a deletion back within the grace, and one that is final never', async (t) => {
    const isBack = async () => {
      await queries.unmarkDeleted(own, HOUR_MS)
      return (await queries.selectOrganization(own))?.deleted_at === null
    }
    await set("deleted_at = now() - interval '59 minutes'")
    t.ok(await isBack())
    await set("deleted_at = now() - interval '61 minutes'")
    t.notOk(await isBack())
    await set('deleted_at = now(), purge_requested_at = now()')
    t.notOk(await isBack())
    await open()
  })

  await t.test('find and delete for good what cannot come back', async (t) => {
    const purgeable = async () => {
      const found = await queries.selectPurgeable(all, HOUR_MS)
      await queries.deleteOrganization(all, org, HOUR_MS)
      t.ok(await queries.selectOrganization(own), 'is it still there?')
      return found
    }
    t.strictSame(await purgeable(), [])
    await set("deleted_at = now() - interval '59 minutes'")
    t.strictSame(await purgeable(), [])
    const first = await createOrganization(app)
    const ids = [idOf(first), idOf(await createOrganization(app))]
    await set('deleted_at = now(), purge_requested_at = now()', ids[0])
    await set("deleted_at = now() - interval '61 minutes'", ids[1])
    t.strictSame(await purgeable(), ids.toReversed(), 'what was deleted first comes first')
    await queries.deleteOrganization(all, ids[0] ?? '', HOUR_MS)
    t.strictSame(await queries.selectPurgeable(all, HOUR_MS), [ids[1]])
    await queries.deleteOrganization(all, ids[1] ?? '', HOUR_MS)
    await open()
    t.strictSame(await others(), before)
  })

  await t.test('know the tables that have rows of organizations, and delete some rows of one', async (t) => {
    const tables = await queries.selectTenantTables(all)
    t.ok(['projects', 'api_keys', 'organization_invitations'].every((name) => tables.includes(name)))
    t.notOk(tables.includes('memberships') || tables.includes('organizations'))
    for (let count = 0; count < 3; count++) await tenant.createProject()
    await second.createProject()
    t.equal(await queries.deleteRows(all, 'projects', org, 2), 2)
    t.equal(await queries.deleteRows(all, 'projects', org, 2), 1)
    t.equal(await queries.deleteRows(all, 'projects', org, 2), 0)
    t.equal((await db.query('SELECT FROM projects')).length, 1)
  })

  await t.test('look at a piece of all, and at one with all that belongs to it', async (t) => {
    const ids = [third, second, tenant].map(idOf)
    const piece = (more: object) => {
      const asked = { text: null, before: administration.BEYOND, limit: 9, window: 9 }
      return administration.selectOrganizationPiece(all, { ...asked, ...more })
    }
    t.strictSame(await piece({}), { found: ids, looked: 3, last: org })
    t.strictSame(await piece({ window: 2 }), { found: ids.slice(0, 2), looked: 2, last: ids[1] })
    t.strictSame(await piece({ limit: 1 }), { found: ids.slice(0, 1), looked: 3, last: org })
    t.strictSame(await piece({ before: ids[1] }), { found: [org], looked: 1, last: org })
    t.strictSame(await piece({ before: org }), { found: [], looked: 0, last: null })
    await set("name = 'Engines', slug = 'analytical'")
    for (const [text, found] of [
      ['ENGINE', [org]],
      ['Lytic', [org]],
      ['analytical', []],
      ['nothing', []],
    ] as const)
      t.match(await piece({ text }), { found, looked: 3 }, text)
    t.equal(await administration.selectIdBySlug(all, 'ANALYTICAL'), org)
    t.equal(await administration.selectIdBySlug(all, 'analytic'), undefined)

    const tables = ['memberships', 'projects']
    const administered = (most: number) =>
      administration.selectAdministered(all, tables, { ids: [org, idOf(third), idOf(second)], most })
    t.match(await administered(1), [
      {
        id: org,
        has_owner: true,
        usage: [
          { table: 'memberships', rows: 1, is_capped: true },
          { table: 'projects', rows: 0, is_capped: false },
        ],
      },
      { id: idOf(third), usage: [{ rows: 1, is_capped: false }, { rows: 0 }] },
      {
        id: idOf(second),
        usage: [
          { rows: 1, is_capped: false },
          { rows: 1, is_capped: false },
        ],
      },
    ])
    t.match(await administered(2), [{ usage: [{ rows: 2, is_capped: false }, {}] }, {}, {}])
    await db.query('UPDATE users SET is_active = false WHERE id = $1', [owner.user.id])
    t.match(await administered(1), [{ has_owner: false }, {}, {}], 'a member is not one')
    await db.query('UPDATE users SET is_active = true WHERE id = $1', [owner.user.id])
    await open()
  })

  await t.test('close and open the one that they name', async (t) => {
    t.equal(await administration.updateSuspended(all, org, false), false, 'it is open')
    t.equal(await administration.updateSuspended(all, org, true), true)
    const closed = await administration.lockClosing(all, org)
    t.match(closed, { deleted_at: null, suspended_at: /Z$/, purge_requested_at: null })
    t.equal(await administration.updateSuspended(all, org, true), false, 'the time stays')
    t.equal(await administration.updateSuspended(all, org, false), true)
    t.match(await administration.lockClosing(all, org), { suspended_at: null })
    t.equal(await administration.lockClosing(all, uuidv7()), undefined)
    await administration.markPurged(all, org)
    t.match(await administration.lockClosing(all, org), { deleted_at: /Z$/, purge_requested_at: /Z$/ })
    await set("deleted_at = '2026-01-01T00:00:00Z'")
    await administration.markPurged(all, org)
    t.match(await administration.lockClosing(all, org), { deleted_at: '2026-01-01T00:00:00.000Z' })
    t.strictSame(await others(), before)
  })
})
