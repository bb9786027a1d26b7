import t from 'tap'
import { takeCheckpoint } from '#services/audit/checkpoints.ts'
import { verify } from '#services/audit/verification/verify.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { checkpoint, logContext, openAsSuperuser, sealAll } from './log.ts'

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

t.test('what is wrong in one chain keeps no other from its checkpoint', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const ctx = logContext(app)
  const [sound, wrong] = [await createOrganization(app), await createOrganization(app)]
  await checkpoint(ctx)
  for (const tenant of [sound, wrong]) await tenant.createProject()
  await sealAll(ctx)
  const outside = await openAsSuperuser(t, db.superuserUrl)
  const { id } = wrong.organization
  const rename = (from: string, to: string) => {
    const text = 'UPDATE audit_entries SET action = $3 WHERE org_id = $1 AND action = $2'
    return outside.query({ name: 'tamper', text, values: [id, from, to] })
  }
  await rename('projects.created', 'projects.updated')
  const taken = await takeCheckpoint(ctx)
  t.match(taken, { number: 2, problems: [{ kind: 'entry_changed', org: id }] })
  const covered = async (number: number) => {
    const text = 'SELECT org_id FROM audit_checkpoint_heads WHERE checkpoint = $1'
    return (await outside.query<{ org_id: string }>({ name: 'heads', text, values: [number] })).map(
      ({ org_id }) => org_id,
    )
  }
  const orgs = await covered(2)
  t.ok(orgs.includes(sound.organization.id))
  t.notOk(orgs.includes(id))
  t.match(await takeCheckpoint(ctx), { note: undefined, problems: [{ org: id }] }, 'nothing else has grown')
  await rename('projects.updated', 'projects.created')
  t.match(await takeCheckpoint(ctx), { number: 3, problems: [] })
  t.strictSame(await covered(3), [id])
})
