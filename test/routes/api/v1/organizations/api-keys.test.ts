import t from 'tap'
import { createKey, readKey } from '#services/api-keys/key-format.ts'
import { entriesOf } from '#test/support/audit.ts'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance, statementCounts } from '#test/support/instances.ts'
import { createOrganization, type TestApiKey } from '#test/support/organizations.ts'

const UNAUTHENTICATED = { status: 401, code: 'unauthenticated' }

t.test('API keys', async (t) => {
  const { app, db, logLines, logs, request } = await createTestApp(t)
  const other = await startInstance(t, db)
  const tenant = await createOrganization(app)
  const as = tenant.owner
  const url = `${tenant.url}/api-keys`
  const projects = `${tenant.url}/projects`
  const create = async (payload: object = {}, headers = {}) =>
    request({
      method: 'POST',
      url,
      payload: { name: 'Export', scopes: ['projects:read'], ...payload },
      as,
      headers,
    })
  const use = (key: Pick<TestApiKey, 'key'>, instance = app) =>
    instance.inject({ url: projects, headers: { authorization: `Bearer ${key.key}` } })

  await t.test('one is created, shown once, and reads what its scopes name', async (t) => {
    const created = await create()
    t.equal(created.statusCode, 201)
    const { key, ...shown } = created.json()
    t.match(key, /^gwk_[0-9a-f]{136}$/)
    t.equal(created.headers.location, `${url}/${shown.id}`)
    t.match(shown, { status: 'active', hint: key.slice(-4), created_by: as.user.id, allowed_networks: [] })
    t.equal(Date.parse(shown.expires_at) - Date.parse(shown.created_at), 90 * 86_400_000, '90 days')

    t.equal((await use({ key })).statusCode, 200)
    const project = await tenant.createProject()
    const headers = { authorization: `Bearer ${key}` }
    t.equal((await request({ url: `${projects}/${project.id}`, headers })).json().name, project.name)
    const current = await request({ url: '/api/v1/api-keys/current', headers })
    t.match(current.json(), {
      id: shown.id,
      organization_id: tenant.organization.id,
      scopes: ['projects:read'],
    })

    const write = await request({ method: 'POST', url: projects, payload: { name: 'Mine' }, headers })
    expectProblem(t, write, { status: 403, code: 'insufficient_scope' })
    t.match(write.json().detail, 'projects:write')
    const read = await request({ url: `${url}/${shown.id}`, as })
    t.notOk(read.body.includes(key.slice(-70)), 'the secret is not shown again')
    t.match((await request({ url, as })).json().data[0], { id: shown.id, status: 'active' })
  })

  await t.test(
    'a key mints no keys, touches no members, accounts or owners, and never steps up',
    async (t) => {
      const { headers, id } = await tenant.createApiKey()
      const refused = { status: 403, code: 'api_key_not_allowed' }
      for (const [method, path] of [
        ['GET', '/api/v1/users/me'],
        ['GET', '/api/v1/users'],
        ['GET', '/api/v1/organizations'],
        ['POST', '/api/v1/auth/reauthenticate'],
        ['POST', url],
        ['GET', `${url}/${id}`],
        ['POST', `${url}/${id}/rotate`],
        ['DELETE', `${url}/${id}`],
        ['DELETE', `${tenant.url}/members/${as.user.id}`],
        ['POST', `${tenant.url}/ownership`],
        ['DELETE', tenant.url],
      ] as const) {
        expectProblem(t, await request({ method, url: path, headers }), refused, `${method} ${path}`)
      }
      const person = await request({ url: '/api/v1/api-keys/current', as })
      expectProblem(t, person, { status: 403, code: 'forbidden' })
    },
  )

  await t.test(
    'whatever is wrong with a key is the same 401, and what never was one costs no query',
    async (t) => {
      const { key } = await tenant.createApiKey()
      const expired = await tenant.createApiKey()
      await tenant.expire(expired.id)
      const far = await tenant.createApiKey({ allowed_networks: ['192.0.2.0/24'] })
      const near = await tenant.createApiKey({ allowed_networks: ['192.0.2.0/24', '127.0.0.0/8'] })
      t.equal((await use(near)).statusCode, 200)
      const answers = new Set<string>()
      const refuse = async (text: string) => {
        const response = await use({ key: text })
        expectProblem(t, response, UNAUTHENTICATED)
        answers.add(response.body.replace(/"request_id":"[^"]*"/, ''))
      }
      for (const text of [expired.key, far.key]) await refuse(text)
      const before = (await statementCounts(app))['selectAcceptedApiKey']
      for (const text of [key.slice(0, -1), `${key}0`, key.toUpperCase(), key.replace(/.$/, 'x'), 'gwk_']) {
        await refuse(text)
      }
      t.equal((await statementCounts(app))['selectAcceptedApiKey'], before)
      t.equal(answers.size, 1)
    },
  )

  await t.test('a key is read from nowhere but a bearer header', async (t) => {
    const { key } = await tenant.createApiKey()
    const projects = `${tenant.url}/projects`
    const basic = Buffer.from(`${key}:`).toString('base64')
    for (const authorization of [
      `Basic ${basic}`,
      key,
      `Token ${key}`,
      `Bearer ${key} ${key}`,
      `Bearer "${key}"`,
    ]) {
      expectProblem(t, await request({ url: projects, headers: { authorization } }), UNAUTHENTICATED)
    }
    for (const name of ['access_token', 'api_key', 'key']) {
      expectProblem(t, await request({ url: `${projects}?${name}=${key}` }), UNAUTHENTICATED)
    }
    for (const name of ['x-api-key', 'cookie', 'proxy-authorization']) {
      expectProblem(t, await request({ url: projects, headers: { [name]: key } }), UNAUTHENTICATED)
    }
  })

  await t.test('IPv4 within IPv6 is IPv4, in networks and in addresses', async (t) => {
    const mapped = { allowed_networks: ['::ffff:7f00:0/104', '127.0.0.0/8', '127.9.9.9/8'] }
    const key = await tenant.createApiKey(mapped)
    t.strictSame(key.allowed_networks, ['127.0.0.0/8'])
    for (const remoteAddress of ['127.0.0.1', '::ffff:127.9.9.9']) {
      const response = await request({ url: `${tenant.url}/projects`, headers: key.headers, remoteAddress })
      t.equal(response.statusCode, 200, remoteAddress)
    }
    const elsewhere = { url: `${tenant.url}/projects`, headers: key.headers, remoteAddress: '::1' }
    expectProblem(t, await request(elsewhere), UNAUTHENTICATED)
    const claimed = { ...elsewhere, headers: { ...key.headers, 'x-forwarded-for': '127.0.0.1' } }
    expectProblem(t, await request(claimed), UNAUTHENTICATED)
  })

  await t.test(
    'a changed character of a key is refused, and so is another secret of the same key',
    async (t) => {
      const { key } = await tenant.createApiKey()
      const name = readKey(key)
      t.ok(name)
      for (let round = 0; round < 20; round++) {
        const forged = createKey(name ?? { org: '', id: '' })
        expectProblem(t, await use({ key: forged }), UNAUTHENTICATED)
      }
      t.equal((await use({ key })).statusCode, 200)
    },
  )

  await t.test('a warm key needs no query', async (t) => {
    const key = await tenant.createApiKey()
    await eventually(async () => {
      const before = await statementCounts(app)
      for (let turn = 0; turn < 50; turn++) t.equal((await use(key)).statusCode, 200)
      const after = await statementCounts(app)
      return ['selectAcceptedApiKey', 'selectMembership'].every((name) => after[name] === before[name])
    })
  })

  await t.test('it is disabled, enabled and revoked: at once here, soon elsewhere', async (t) => {
    const key = await tenant.createApiKey()
    const one = `${url}/${key.id}`
    const elsewhere = (status: number) =>
      eventually(async () => (await use(key, other)).statusCode === status)
    await elsewhere(200)
    const patch = (payload: object, headers = {}) =>
      request({ method: 'PATCH', url: one, payload, as, headers })
    const { etag } = (await request({ url: one, as })).headers
    t.match((await patch({ is_disabled: true }, { 'if-match': etag })).json(), { status: 'disabled' })
    expectProblem(t, await use(key), UNAUTHENTICATED)
    await elsewhere(401)
    expectProblem(t, await patch({ name: 'Late' }, { 'if-match': etag }), {
      status: 412,
      code: 'api_key_changed',
    })
    t.match((await patch({ is_disabled: false, scopes: ['members:read'] })).json(), { status: 'active' })
    expectProblem(t, await use(key), { status: 403, code: 'insufficient_scope' })
    t.match((await patch({ scopes: ['projects:read'], allowed_networks: ['10.1.2.3/8'] })).json(), {
      allowed_networks: ['10.0.0.0/8'],
    })
    expectProblem(t, await use(key), UNAUTHENTICATED)
    await patch({ allowed_networks: [] })
    await elsewhere(200)

    const revoke = () => request({ method: 'DELETE', url: one, as })
    t.equal((await revoke()).statusCode, 204)
    expectProblem(t, await use(key), UNAUTHENTICATED)
    await elsewhere(401)
    t.equal((await revoke()).statusCode, 204, 'again')
    t.match((await request({ url: one, as })).json(), { status: 'revoked' })
    expectProblem(t, await patch({ is_disabled: false }), { status: 409, code: 'api_key_ended' })
  })

  await t.test('a repeated creation returns the same key, which the database does not hold', async (t) => {
    const headers = { 'idempotency-key': 'a-key-for-a-key' }
    const first = await create({ name: 'Repeated' }, headers)
    const again = await create({ name: 'Repeated' }, headers)
    t.equal(again.headers['idempotency-replayed'], 'true')
    t.equal(again.body, first.body)
    const { key } = first.json()
    t.equal((await use({ key })).statusCode, 200)
    const secret = key.slice(-72)
    const kept = await db.query<{ body: string }>('SELECT body FROM idempotency_keys')
    t.ok(kept.length > 0)
    for (const { body } of kept) {
      const readable = [body, Buffer.from(body, 'base64').toString('latin1')].join()
      t.notOk(readable.includes(secret), 'it is encrypted')
    }
    await db.query(`UPDATE idempotency_keys SET body = overlay(body PLACING 'AAAA' FROM 40)`)
    expectProblem(t, await create({ name: 'Repeated' }, headers), {
      status: 409,
      code: 'idempotency_answer_lost',
    })
    for (const table of ['api_keys', 'audit_intake', 'audit_entries', 'idempotency_keys']) {
      const rows = await db.query(`SELECT row::text FROM ${table} AS row`)
      t.notOk(JSON.stringify(rows).includes(secret), table)
    }
    t.notOk(logLines.join('\n').includes(secret), 'the log')
  })

  await t.test('its use is written, once, and changes no version; the log names it', async (t) => {
    const key = await tenant.createApiKey()
    for (let turn = 0; turn < 5; turn++) await use(key)
    const read = async () => (await request({ url: `${url}/${key.id}`, as })).json()
    await eventually(async () => (await read()).last_used_at !== null)
    const { last_used_ip, updated_at } = await read()
    t.equal(last_used_ip, '127.0.0.1')
    t.equal(updated_at, key.updated_at)
    t.equal((await use(key)).statusCode, 200, 'it is still known')
    const line = logs().find(({ api_key_id }) => api_key_id === key.id)
    t.match(line, { organization_id: tenant.organization.id, operation: 'listProjects' })
    t.notOk(line && 'user_id' in line)
  })

  await t.test('what happens to keys is recorded', async (t) => {
    const { id } = (await create()).json()
    await request({ method: 'PATCH', url: `${url}/${id}`, payload: { name: 'New' }, as })
    await request({ method: 'POST', url: `${url}/${id}/rotate`, payload: { grace: 0 }, as })
    await request({ method: 'DELETE', url: `${url}/${id}`, as })
    const entries = await entriesOf(db, 'api_keys.%', id)
    t.strictSame(
      entries.map(({ action, actor_id }) => [action, actor_id]),
      ['created', 'updated', 'rotated', 'revoked'].map((act) => [`api_keys.${act}`, as.user.id]),
    )
  })

  await t.test('keys of a deleted organization stop, those of a deleted account go on', async (t) => {
    const [gone, creator] = [await createOrganization(app), await tenant.add('admin')]
    const key = await gone.createApiKey()
    const ask = () => app.inject({ url: `${gone.url}/projects`, headers: key.headers })
    t.equal((await ask()).statusCode, 200)
    t.equal((await request({ method: 'DELETE', url: gone.url, as: gone.owner })).statusCode, 204)
    expectProblem(t, await ask(), UNAUTHENTICATED)
    t.equal((await request({ method: 'POST', url: `${gone.url}/restore`, as: gone.owner })).statusCode, 200)
    t.equal((await ask()).statusCode, 200)

    const payload = { name: 'Outlives', scopes: ['projects:read'] }
    const made = (await request({ method: 'POST', url, payload, as: creator })).json()
    t.equal((await request({ method: 'DELETE', url: '/api/v1/users/me', as: creator })).statusCode, 204)
    t.equal((await use(made)).statusCode, 200)
    t.equal((await request({ url: `${url}/${made.id}`, as })).json().created_by, null)
  })
})
