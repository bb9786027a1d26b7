import t from 'tap'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization, type TestApiKey } from '#test/support/organizations.ts'

const UNAUTHENTICATED = { status: 401, code: 'unauthenticated' }

t.test('rotations of API keys', async (t) => {
  const { app, request } = await createTestApp(t)
  const tenant = await createOrganization(app)
  const as = tenant.owner
  const url = `${tenant.url}/api-keys`
  const use = (key: Pick<TestApiKey, 'key'>) =>
    request({ url: `${tenant.url}/projects`, headers: { authorization: `Bearer ${key.key}` } })

  await t.test('a rotation: both are accepted for the grace, and the old one once only', async (t) => {
    const old = await tenant.createApiKey({ scopes: ['projects:read'], expires_in_days: 7 })
    t.equal((await use(old)).statusCode, 200)
    const rotate = (grace: number) =>
      request({ method: 'POST', url: `${url}/${old.id}/rotate`, payload: { grace }, as })
    const rotated = await rotate(3600)
    t.equal(rotated.statusCode, 201)
    const next = rotated.json()
    t.match(next, { name: old.name, scopes: ['projects:read'], status: 'active' })
    t.equal(Date.parse(next.expires_at) - Date.parse(next.created_at), 7 * 86_400_000, 'it lives as long')
    for (const key of [old, next]) t.equal((await use(key)).statusCode, 200)
    const left = (await request({ url: `${url}/${old.id}`, as })).json()
    t.equal(left.replaced_by, next.id)
    t.ok(Date.parse(left.expires_at) < Date.parse(old.expires_at))
    expectProblem(t, await rotate(0), { status: 409, code: 'api_key_ended' })

    const leaked = await tenant.createApiKey()
    t.equal((await use(leaked)).statusCode, 200)
    const replaced = await request({
      method: 'POST',
      url: `${url}/${leaked.id}/rotate`,
      payload: { grace: 0 },
      as,
    })
    t.equal((await use(replaced.json())).statusCode, 200)
    expectProblem(t, await use(leaked), UNAUTHENTICATED)
  })

  await t.test('what takes the place of a disabled key is disabled too', async (t) => {
    const old = await tenant.createApiKey()
    const patch = (id: string, is_disabled: boolean) =>
      request({ method: 'PATCH', url: `${url}/${id}`, payload: { is_disabled }, as })
    await patch(old.id, true)
    const payload = { grace: 3600 }
    const rotated = await request({ method: 'POST', url: `${url}/${old.id}/rotate`, payload, as })
    const next = rotated.json()
    t.match(next, { status: 'disabled' })
    for (const key of [old, next]) expectProblem(t, await use(key), UNAUTHENTICATED)
    t.match((await patch(next.id, false)).json(), { status: 'active' })
    t.equal((await use(next)).statusCode, 200)
    expectProblem(t, await use(old), UNAUTHENTICATED)
  })

  await t.test(
    'a rotation and a change at once: the new key is like the old one before or after',
    async (t) => {
      for (let turn = 0; turn < 10; turn++) {
        const old = await tenant.createApiKey({ scopes: ['projects:read', 'projects:write'] })
        const one = `${url}/${old.id}`
        const [rotated, changed] = await Promise.all([
          request({ method: 'POST', url: `${one}/rotate`, payload: { grace: 3600 }, as }),
          request({ method: 'PATCH', url: one, payload: { scopes: ['projects:read'] }, as }),
        ])
        t.equal(rotated.statusCode, 201)
        t.equal(changed.statusCode, 200)
        const cameFirst = changed.json().replaced_by === null
        t.equal(rotated.json().scopes.length, cameFirst ? 1 : 2)
      }
    },
  )
})
