import t from 'tap'
import { buildApp } from '#app.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, testConfig } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { WANTED } from '#test/support/only.ts'
import { RouteProof } from './route-proof.ts'

t.test('what is not yours answers like what does not exist, byte for byte', async (t) => {
  // As `web`: nothing is sealed, passed on or sent while it is proven.
  const { app, db, logLines } = await createTestApp(t, { APP_RATE_LIMIT__ENABLED: 'false', APP_ROLE: 'web' })
  const proof = new RouteProof({ app, db }, WANTED)
  const { marker } = proof
  t.ok(proof.operations.length > (WANTED === undefined ? 10 : 0))
  let logged = 0
  const violations = await proof.violations(() => {
    logged = logLines.length
  })
  t.strictSame(violations, [])

  t.notMatch(logLines.slice(logged).join('\n'), marker)
  const address = `${marker}@example.com`
  await startInstance(t, db, { APP_ROLE: 'worker' })
  await eventually(async () => {
    const waiting = "SELECT FROM pgboss.job WHERE name = 'send_mail' AND state < 'completed'"
    return (await db.query(waiting)).length === 0
  })
  t.match(
    JSON.stringify(await app.mailbox?.list({ to: address })),
    marker,
    'the mail that they sent themselves',
  )
  const others = ((await app.mailbox?.list()) ?? []).filter(({ to }) => to !== address)
  t.ok(WANTED !== undefined || others.length > 0, 'mails were sent meanwhile')
  t.notMatch(JSON.stringify(others), marker)
})

t.test('a route below an organization without a permission does not start', async (t) => {
  const { db } = await createTestApp(t)
  for (const [url, config] of [
    ['/api/v1/organizations/:organization_id/secrets', {}],
    ['/api/v1/elsewhere', { permission: 'projects:read' as const }],
  ] as const) {
    const build = buildApp(testConfig(db.url, { APP_LOG__LEVEL: 'silent' }), {
      extend: async (app) => {
        app.get(url, { config }, async () => 'not reached')
      },
    })
    await t.rejects(build, { message: / (?:names no permission|names a permission, and is not below)/ })
  }
})
