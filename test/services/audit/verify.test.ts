import t from 'tap'
import { verify } from '#services/audit/verification/verify.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { checkpoint, logContext, sealAll } from './log.ts'

t.test('a log that nobody touched has no problems', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const ctx = logContext(app)
  const tenant = await createOrganization(app)
  for (let count = 0; count < 5; count++) await tenant.createProject()
  t.ok((await sealAll(ctx)) >= 5)
  t.equal(await sealAll(ctx), 0, 'nothing is sealed twice')
  const note = await checkpoint(ctx)
  for (let count = 0; count < 5; count++) await tenant.createProject()
  await checkpoint(ctx)
  await tenant.createProject()
  await sealAll(ctx)

  const whole = await verify(ctx, { published: [note] })
  t.strictSame(whole.problems, [])
  t.match(whole, { problemCount: 0, checkpoints: 2, unsignedCheckpoints: 0 })
  t.equal(whole.entries, Number((await db.query('SELECT count(*) FROM audit_entries'))[0]?.['count']))
  t.match(await verify(ctx, { org: tenant.organization.id }), { chains: 1, problemCount: 0 })
  t.match(await verify(ctx, { since: new Date() }), { entries: 1, problemCount: 0 })
  t.match(await verify({ ...ctx, audit: { ...ctx.audit, noteKeys: [] } }), {
    problemCount: 0,
    unsignedCheckpoints: 2,
  })
})
