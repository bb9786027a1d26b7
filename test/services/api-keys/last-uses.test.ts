import t from 'tap'
import { ApiKeyCaller } from '#services/api-keys/caller.ts'
import { LastUses } from '#services/api-keys/last-uses.ts'
import { createTestApp } from '#test/support/helper.ts'
import { statementsOf } from '#test/support/instances.ts'
import { createOrganization } from '#test/support/organizations.ts'

t.test('when keys were last used', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const tenant = await createOrganization(app)
  const keys = [await tenant.createApiKey(), await tenant.createApiKey()]
  const uses = keys.map(({ organization_id: org, id }) => ({ org, id }))
  const warnings: string[] = []
  const log = { ...app.log, warn: (_fields: object, message: string) => void warnings.push(message) }
  const read = () =>
    db.query<{ at: Date | null; ip: string | null }>(
      'SELECT last_used_at AS at, host(last_used_ip) AS ip FROM api_keys ORDER BY id',
    )

  await t.test('many uses of many keys are one statement', async (t) => {
    const statements = await statementsOf(app, async () => {
      const lastUses = new LastUses(app.db, log)
      for (let turn = 0; turn < 1000; turn++)
        for (const use of uses) lastUses.note(use, `192.0.2.${turn % 200}`)
      await lastUses.close()
    })
    t.equal(statements['updateLastUses'], 1)
    t.match(await read(), [{ ip: '192.0.2.0' }, { ip: '192.0.2.0' }])
  })

  await t.test('another instance does not write again within the minute', async (t) => {
    const before = await read()
    const other = new LastUses(app.db, log)
    for (const use of uses) other.note(use, '192.0.2.77')
    await other.close()
    t.same(await read(), before)
    await db.query("UPDATE api_keys SET last_used_at = now() - interval '61 seconds'")
    const later = new LastUses(app.db, log)
    for (const use of uses) later.note(use, '192.0.2.78')
    await later.close()
    t.match(await read(), [{ ip: '192.0.2.78' }, { ip: '192.0.2.78' }])
  })

  await t.test('a row that somebody holds is passed over, and nobody waits', async (t) => {
    await db.query("UPDATE api_keys SET last_used_at = now() - interval '61 seconds'")
    const [held] = uses
    await app.db.transaction(async (tx) => {
      await tx.query({
        name: 'holdApiKey',
        text: 'SELECT 1 FROM api_keys WHERE org_id = $1 AND id = $2 FOR UPDATE',
        values: [held?.org, held?.id],
        scope: { scope: 'system' },
      })
      const lastUses = new LastUses(app.db, log)
      for (const use of uses) lastUses.note(use, '192.0.2.79')
      await lastUses.close()
    })
    t.match(await read(), [{ ip: '192.0.2.78' }, { ip: '192.0.2.79' }])
  })

  await t.test('a write that fails is told once, and fails nobody', async (t) => {
    await db.query('ALTER TABLE api_keys RENAME COLUMN last_used_ip TO elsewhere')
    const lastUses = new LastUses(app.db, log)
    for (const use of uses) lastUses.note(use, '192.0.2.80')
    await lastUses.close()
    await db.query('ALTER TABLE api_keys RENAME COLUMN elsewhere TO last_used_ip')
    t.strictSame(warnings, ['could not write when API keys were last used'])
  })

  await t.test('the uses of the last half second are written before the service ends', async (t) => {
    await db.query("UPDATE api_keys SET last_used_at = now() - interval '61 seconds'")
    for (const { org, id } of uses) {
      const row = { id, digest: Buffer.alloc(32), scopes: [], allowed_networks: [], is_suspended: false }
      app.apiKeys.used(new ApiKeyCaller(org, row), '192.0.2.81')
    }
    await app.close()
    t.match(await read(), [{ ip: '192.0.2.81' }, { ip: '192.0.2.81' }])
  })
})
