import t from 'tap'
import { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import * as listeners from '#services/api-keys/listeners.ts'
import * as queries from '#services/api-keys/queries.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createOrganization } from '#test/support/organizations.ts'

/** Changes that keys go through, and the one that nothing has happened to. */
const STATES = {
  active: 'name = name',
  disabled: 'disabled_at = now()',
  expired: "expires_at = now() - interval '1 second'",
  replaced: 'replaced_by = id',
  revoked: 'revoked_at = now()',
} as const

const ALIVE = ['active', 'disabled', 'replaced']

t.test('which keys a statement sees and changes, by what has become of them', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const [tenant, other] = [await createOrganization(app), await createOrganization(app)]
  const org = tenant.organization.id
  const [own, foreign] = [new OrgDatabase(app.db, org), new OrgDatabase(app.db, other.organization.id)]
  const all = new SystemDatabase(app.db)
  const ids = new Map<string, string>()
  for (const [state, change] of Object.entries(STATES)) {
    const { id } = await tenant.createApiKey({ name: state })
    await db.query(`UPDATE api_keys SET ${change} WHERE id = $1`, [id])
    ids.set(state, id)
  }
  const stateOf = (id: string) => [...ids].find(([, one]) => one === id)?.[0]
  /** The states of the keys that something is true of. */
  const where = async (ask: (id: string) => Promise<unknown>) => {
    const found: string[] = []
    for (const [state, id] of ids) if (await ask(id)) found.push(state)
    return found
  }
  const accepted = async () => {
    const asked = [...ids.values()]
    const rows = await queries.selectAcceptedKeys(
      all,
      asked.map(() => org),
      asked,
    )
    return rows.map(({ id }) => stateOf(id)).sort()
  }
  const one = async () => where((id) => queries.selectAcceptedKey(own, id))

  await t.test('reads', async (t) => {
    t.strictSame(await one(), ['active', 'replaced'])
    t.strictSame(await accepted(), ['active', 'replaced'])
    t.equal(await queries.countKeys(own), 2, 'without the one that has another in its place')
    t.strictSame((await listeners.acceptedKeyIds(app.ctx, org)).map(stateOf).sort(), ALIVE)
    t.strictSame(await where((id) => queries.selectKey(own, id)), [...ids.keys()])
    t.strictSame(await listeners.acceptedKeyIds(app.ctx, other.organization.id), [])
  })

  await t.test('keys of another organization are nobody', async (t) => {
    const before = await db.query('SELECT * FROM api_keys ORDER BY id')
    const asked: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
      lockKey: (id) => queries.lockKey(foreign, id),
      replaceKey: (id) => queries.replaceKey(foreign, id, id, 0),
      revokeKey: (id) => queries.revokeKey(foreign, id, undefined),
      selectAcceptedKey: (id) => queries.selectAcceptedKey(foreign, id),
      selectKey: (id) => queries.selectKey(foreign, id),
      updateKey: (id) => queries.updateKey(foreign, id, { name: 'taken' }, undefined),
    }
    for (const [name, ask] of Object.entries(asked)) t.strictSame(await where(ask), [], name)
    t.equal(await queries.countKeys(foreign), 0)
    t.strictSame(await queries.selectKeys(foreign, { before: null, limit: 9 }), [])
    const others = [...ids.values()]
    const owners = others.map(() => other.organization.id)
    t.strictSame(await queries.selectAcceptedKeys(all, owners, others), [])
    t.strictSame(await db.query('SELECT * FROM api_keys ORDER BY id'), before)
  })

  await t.test('a suspended organization has its keys still, a deleted one has none', async (t) => {
    await db.query('UPDATE organizations SET suspended_at = now() WHERE id = $1', [org])
    t.match(await queries.selectAcceptedKey(own, ids.get('active') ?? ''), { is_suspended: true })
    t.strictSame(await accepted(), ['active', 'replaced'])
    await db.query('UPDATE organizations SET suspended_at = NULL, deleted_at = now() WHERE id = $1', [org])
    t.strictSame([await one(), await accepted()], [[], []])
    await db.query('UPDATE organizations SET deleted_at = NULL WHERE id = $1', [org])
    t.match(await queries.selectAcceptedKey(own, ids.get('active') ?? ''), { is_suspended: false })
  })

  await t.test('changes', async (t) => {
    const older = ['2026-01-01T00:00:00Z']
    t.strictSame(await where((id) => queries.updateKey(own, id, { name: 'new' }, older)), [])
    t.strictSame(await where((id) => queries.revokeKey(own, id, older)), [])
    t.strictSame(await where((id) => queries.updateKey(own, id, { name: 'new' }, undefined)), ALIVE)
    t.strictSame(
      (await queries.selectKeys(own, { before: null, limit: 9 })).map(({ id, name }) => [stateOf(id), name]),
      [
        ['revoked', 'revoked'],
        ['replaced', 'new'],
        ['expired', 'expired'],
        ['disabled', 'new'],
        ['active', 'new'],
      ],
    )
    const active = ids.get('active') ?? ''
    t.strictSame(await where((id) => queries.replaceKey(own, id, active, 60)), ['active', 'disabled'])
    t.strictSame(await where((id) => queries.revokeKey(own, id, undefined)), [
      'active',
      'disabled',
      'expired',
      'replaced',
    ])
    t.strictSame(await where((id) => queries.revokeKey(own, id, undefined)), [])
  })
})
