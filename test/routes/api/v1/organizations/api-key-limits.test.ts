import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization, type TestApiKey } from '#test/support/organizations.ts'

t.test('what is wrong in a request is named', async (t) => {
  const { app, request } = await borrowTestApp(t)
  const { url, owner: as } = await createOrganization(app)
  for (const [payload, pointer] of [
    [{ scopes: [] }, '/body/scopes'],
    [{ scopes: ['members:write'] }, '/body/scopes/0'],
    [{ scopes: ['projects:read', 'projects:read'] }, '/body/scopes'],
    [{ allowed_networks: ['010.0.0.0/8'] }, '/body/allowed_networks/0'],
    [{ allowed_networks: ['2001:db8::1'] }, '/body/allowed_networks/0'],
    [{ expires_in_days: 367 }, '/body/expires_in_days'],
    [{ key: 'gwk_' }, '/body/key'],
  ] as const) {
    const expected = { status: 400, code: 'validation_failed', pointers: [pointer] }
    const right = { name: 'Export', scopes: ['projects:read'] }
    const response = await request({
      method: 'POST',
      url: `${url}/api-keys`,
      payload: { ...right, ...payload },
      as,
    })
    expectProblem(t, response, expected, JSON.stringify(payload))
  }
})

t.test('a key and the keys of an organization together have limits', async (t) => {
  const { app, request } = await createTestApp(t, {
    APP_RATE_LIMIT__ENABLED: 'true',
    APP_RATE_LIMIT__PER_API_KEY: '5',
    APP_RATE_LIMIT__PER_ORGANIZATION: '8',
    APP_RATE_LIMIT__WINDOW: '1h',
    APP_RATE_LIMIT__STORE: 'memory',
  })
  const tenant = await createOrganization(app)
  const [one, two] = [await tenant.createApiKey(), await tenant.createApiKey()]
  const url = `${tenant.url}/projects`
  /** How many of so many requests are refused; the first of a key is counted against the network. */
  const refused = async ({ headers }: TestApiKey, times: number) => {
    let count = 0
    for (let turn = 0; turn < times; turn++) {
      const response = await request({ url, headers })
      if (response.statusCode === 429) count++
    }
    return count
  }
  t.equal(await refused(one, 8), 2, 'the first is counted against the network, and five against the key')
  t.equal(await refused(two, 5), 1, 'three against the organization, whose other five are used')
  const theirs = await createOrganization(app)
  t.equal(await refused(await theirs.createApiKey(), 1), 0)

  const bound = await theirs.createApiKey({ allowed_networks: ['10.0.0.0/8'] })
  const from = (remoteAddress: string) => request({ url: `${theirs.url}/projects`, ...bound, remoteAddress })
  for (const address of ['10.0.0.1', ...Array<string>(20).fill('192.0.2.1')]) {
    t.not((await from(address)).statusCode, 429, 'from elsewhere it counts against the network')
  }
  t.match(await from('10.0.0.1'), { statusCode: 200, headers: { 'ratelimit-remaining': '4' } })
  t.equal((await request({ url, as: tenant.owner })).statusCode, 200, 'people have budgets of their own')
})

t.test(
  'an organization has so many keys, however many ask at once; those that ended or are replaced do not count',
  async (t) => {
    const { app, request } = await createTestApp(t, { APP_TENANCY__API_KEYS_PER_ORGANIZATION: '3' })
    const { url: base, owner: as, expire } = await createOrganization(app)
    const url = `${base}/api-keys`
    const payload = { name: 'Export', scopes: ['projects:read'] }
    const create = () => request({ method: 'POST', url, payload, as })
    const codes = (await Promise.all(Array.from({ length: 6 }, create))).map(({ statusCode }) => statusCode)
    t.same(codes.toSorted(), [201, 201, 201, 409, 409, 409])
    const reached = { status: 409, code: 'api_key_limit_reached' }
    const [one, two, three] = (await request({ url, as })).json().data

    const rotate = { method: 'POST', url: `${url}/${one.id}/rotate`, payload: { grace: 3600 }, as } as const
    t.equal((await request(rotate)).statusCode, 201, 'a rotation needs no place')
    expectProblem(t, await create(), reached)
    await request({ method: 'PATCH', url: `${url}/${two.id}`, payload: { is_disabled: true }, as })
    expectProblem(t, await create(), reached, 'a disabled one can be enabled again')
    await request({ method: 'DELETE', url: `${url}/${two.id}`, as })
    t.equal((await create()).statusCode, 201, 'for the one that was revoked')
    expectProblem(t, await create(), reached)
    await expire(three.id)
    t.equal((await create()).statusCode, 201, 'for the one that expired')
    expectProblem(t, await create(), reached)
  },
)
