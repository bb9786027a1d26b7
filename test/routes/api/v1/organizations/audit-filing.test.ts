import t from 'tap'
import type { AuditEntry } from '#schemas/audit.ts'
import { logContext, sealAll } from '#test/services/audit/log.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

t.test('entries that wait to be filed', async (t) => {
  const { app, request } = await createTestApp(t, { APP_ROLE: 'web' })
  const ctx = logContext(app)
  const tenant = await createOrganization(app)
  const [admin, member] = [await tenant.add('admin'), await tenant.add('member')]
  const url = `${tenant.url}/audit-entries`
  const list = async (query: string): Promise<AuditEntry[]> =>
    (await request({ url: `${url}?${query}`, as: admin })).json().data

  await t.test(
    'an entry reads the same before and after it is filed, but for its place in the chain',
    async (t) => {
      const made = await request({
        method: 'POST',
        url: `${tenant.url}/projects`,
        payload: { name: 'Filed' },
        as: member,
      })
      const searches = [
        `target_id=${made.json().id}`,
        `actor_id=${member.user.id}`,
        'action=projects.created',
        '',
      ]
      const read = () => Promise.all(searches.map((query) => list(query)))
      const [[entry] = [], ...before] = await read()
      const prove = async () => (await request({ url: `${url}/${entry?.id}`, as: admin })).json()
      const proof = await prove()
      t.match(proof, { entry, hash: null, previous: null, checkpoint: null })
      await sealAll(ctx)
      const [[filed] = [], ...after] = await read()
      t.match(filed, { ...entry, seq: Number })
      t.strictSame(
        after.flat().map((found) => ({ ...found, seq: null })),
        before.flat().map((found) => ({ ...found, seq: null })),
      )
      const { commitment, mac, salt } = proof
      t.match(await prove(), { commitment, mac, salt, hash: String })
    },
  )
})
