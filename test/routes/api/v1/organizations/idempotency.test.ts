import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { identify } from '#lib/idempotency/idempotency.ts'
import { deriveKey } from '#lib/secrets/secrets.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization, type TestOrganization } from '#test/support/organizations.ts'

t.test('Idempotency-Key below an organization', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t)
  const person = await signUp()
  const [one, two] = [await createOrganization(app, person), await createOrganization(app, person)]
  const create = (
    { url }: TestOrganization,
    key: string,
    { headers, name = 'Mill' }: { headers: { authorization: string }; name?: string },
  ) =>
    request({
      method: 'POST',
      url: `${url}/projects`,
      payload: { name },
      headers: { 'idempotency-key': key, ...headers },
    })
  const projectsOf = ({ organization }: TestOrganization) =>
    db.query('SELECT FROM projects WHERE org_id = $1', [organization.id])

  await t.test('the same key in two organizations is two requests', async (t) => {
    const [first, second] = [await create(one, 'same', person), await create(two, 'same', person)]
    t.strictSame([first.statusCode, second.statusCode], [201, 201])
    t.not(first.json().id, second.json().id)
    for (const [tenant, before] of [
      [one, first],
      [two, second],
    ] as const) {
      const again = await create(tenant, 'same', person)
      t.strictSame([again.headers['idempotency-replayed'], again.body], ['true', before.body])
      expectProblem(t, await create(tenant, 'same', { ...person, name: 'Another' }), {
        status: 409,
        code: 'idempotency_key_reused',
      })
      t.equal((await projectsOf(tenant)).length, 1)
    }
  })

  await t.test('and so it is for a person and each API key', async (t) => {
    const tenant = await createOrganization(app, person)
    const callers = [person, await tenant.createApiKey(), await tenant.createApiKey()]
    for (const [n, { headers }] of callers.entries()) {
      const made = await create(tenant, 'same', { headers, name: `Mill ${n}` })
      t.equal(made.statusCode, 201, made.body)
      t.equal((await create(tenant, 'same', { headers, name: `Mill ${n}` })).body, made.body)
    }
  })

  await t.test('whose membership has ended gets no earlier answer', async (t) => {
    const member = await one.add('member')
    t.equal((await create(one, 'kept', { ...member, name: 'Kept' })).statusCode, 201)
    await request({ method: 'DELETE', url: `${one.url}/members/${member.user.id}`, as: person })
    expectProblem(t, await create(one, 'kept', { ...member, name: 'Kept' }), {
      status: 404,
      code: 'organization_not_found',
    })
  })

  await t.test('next to instances that know the key without the organization', async (t) => {
    const tenant = await createOrganization(app, person)
    const idempotencyKey = uuidv7()
    const { id: formerId, fingerprint } = identify(
      deriveKey(app.config.jwt.secret, 'idempotency fingerprints'),
      {
        operation: 'createProject',
        caller: person.user.id,
        idempotencyKey,
        input: { params: { organization_id: tenant.organization.id }, query: {}, body: { name: 'Mill' } },
      },
    )
    const kept = () => db.query('SELECT * FROM idempotency_keys WHERE id = $1', [formerId])
    const made = await create(tenant, idempotencyKey, person)
    t.match(await kept(), [{ fingerprint, body: made.body, status: 201 }], 'they find what was done here')

    // As if one of them had done it.
    await db.query('DELETE FROM idempotency_keys WHERE body = $1 AND id <> $2', [made.body, formerId])
    const again = await create(tenant, idempotencyKey, person)
    t.strictSame([again.headers['idempotency-replayed'], again.body], ['true', made.body])
    // Two at once, of which one looked before it was done.
    await db.query("UPDATE idempotency_keys SET expires_at = now() - interval '1 day' WHERE id <> $1", [
      formerId,
    ])
    const both = await Promise.all([1, 2].map(() => create(tenant, idempotencyKey, person)))
    t.ok(both.every(({ body }) => body === made.body))
    t.equal((await projectsOf(tenant)).length, 1)
    t.equal((await create(two, idempotencyKey, { ...person, name: 'Elsewhere' })).statusCode, 201)
    t.match(await kept(), [{ body: made.body }], 'theirs stays as it was')
  })
})
