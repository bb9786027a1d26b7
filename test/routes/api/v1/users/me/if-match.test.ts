import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { startInstance } from '#test/support/instances.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { versionedOperations } from '#test/support/versioned-operations.ts'

const URL = '/api/v1/users/me'

t.test('If-Match: a change applies to the version it names, or not at all', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const rows = [
    { name: 'none', status: 200 },
    { name: 'the right one', tags: (etag: string) => etag, status: 200 },
    { name: 'with spaces', tags: (etag: string) => `  ${etag} `, status: 200 },
    { name: 'any', tags: () => '*', status: 200 },
    { name: 'a list that holds it', tags: (etag: string) => `"1", ${etag},"zz"`, status: 200 },
    { name: 'another', tags: () => '"kx1"', status: 412 },
    { name: 'a list of others', tags: () => '"kx1", "kx2"', status: 412 },
    { name: 'the weak form', tags: (etag: string) => `W/${etag}`, status: 200 },
    { name: 'without quotes', tags: (etag: string) => etag.slice(1, -1), status: 412 },
    { name: 'with a zero before it', tags: (etag: string) => etag.replace('"', '"0'), status: 412 },
    { name: 'with a leading zero', tags: (etag: string) => `"0${etag.slice(1)}`, status: 412 },
    { name: 'empty', tags: () => '', status: 412 },
    { name: 'only a comma', tags: () => ',', status: 412 },
    { name: 'an empty tag', tags: () => '""', status: 412 },
    { name: 'the last date', tags: () => '"9999-12-31T23:59:59.999Z"', status: 412 },
    { name: 'an invalid date', tags: () => '"2026-02-30T00:00:00.000Z"', status: 412 },
    { name: 'not a time', tags: () => '"2026-99-99T99:99:99.999Z"', status: 412 },
    { name: 'a long one', tags: () => `"${'z'.repeat(4000)}"`, status: 412 },
    { name: 'SQL', tags: () => `"' OR 1=1 --"`, status: 412 },
    { name: 'a thousand', tags: () => Array.from({ length: 1000 }, (_, i) => `"${i}"`).join(), status: 412 },
  ]
  for (const { name, tags, status } of rows) {
    const as = await signUp()
    const before = await request({ url: URL, as })
    const etag = String(before.headers.etag)
    const headers = tags ? { 'if-match': tags(etag) } : {}
    const payload = { username: `${as.user.username}-2` }
    const patched = await request({ method: 'PATCH', url: URL, as, headers, payload })
    if (status === 200) {
      t.equal(patched.statusCode, 200, name)
      t.match(patched.json(), payload)
      t.not(patched.headers.etag, etag, `${name}: a new ETag`)
    } else {
      const deleted = await request({ method: 'DELETE', url: URL, as, headers })
      expectProblem(t, patched, { status, code: 'user_changed' }, `PATCH, ${name}`)
      expectProblem(t, deleted, { status, code: 'user_changed' }, `DELETE, ${name}`)
      t.equal((await request({ url: URL, as })).body, before.body, `${name}: nothing changed`)
    }
  }
})

t.test('If-Match: a deletion applies to the version it names', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const as = await signUp()
  const { headers } = await request({ url: URL, as })
  const remove = (tag: unknown) =>
    request({ method: 'DELETE', url: URL, as, headers: { 'if-match': String(tag) } })
  await request({ method: 'PATCH', url: URL, as, payload: { username: 'renamed' } })
  expectProblem(t, await remove(headers.etag), { status: 412, code: 'user_changed' })
  const now = await request({ url: URL, as })
  t.equal((await remove(now.headers.etag)).statusCode, 204)
})

t.test('a stale ETag changes nothing', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const as = await signUp()
  const { headers } = await request({ url: URL, as })
  const change = (username: string, etag: unknown) =>
    request({
      method: 'PATCH',
      url: URL,
      as,
      headers: { 'if-match': String(etag) },
      payload: { username },
    })
  const first = await change('first', headers.etag)
  t.equal(first.statusCode, 200)
  expectProblem(t, await change('second', headers.etag), { status: 412, code: 'user_changed' })
  t.equal((await request({ url: URL, as })).json().username, 'first')
  t.equal((await change('third', first.headers.etag)).statusCode, 200, 'the ETag of the answer is the next')
})

t.test('of changes at once to one version, on two instances, one is made', async (t) => {
  const { app, db, request, signUp } = await borrowTestApp(t)
  const other = await startInstance(t, db)
  const as = await signUp()
  for (let round = 0; round < 3; round++) {
    const { headers } = await request({ url: URL, as })
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? app : other).inject({
          method: 'PATCH',
          url: URL,
          headers: { ...as.headers, 'if-match': String(headers.etag) },
          payload: { username: `round-${round}-${index}` },
        }),
      ),
    )
    const winners = responses.filter((response) => response.statusCode === 200)
    t.equal(winners.length, 1)
    t.equal(responses.filter((response) => response.statusCode === 412).length, 19)
    t.same((await request({ url: URL, as })).json(), winners[0]?.json())
  }
})

/** Changes that would be taken without `If-Match`; others rename. */
const CHANGES: Readonly<Record<string, object | string>> = {
  putFileContent: 'bytes',
  putOrganizationFileContent: 'bytes',
  updateAdministeredUser: { is_active: false, reason: 'a test' },
  updateCurrentUser: { username: 'somebody-else' },
  updateMember: { role: 'admin' },
  updateUser: { is_active: false },
  updateWebhook: { description: 'Another' },
}

t.test('no operation overwrites or deletes a version that its caller has not seen', async (t) => {
  const { app, request, signUp } = await borrowTestApp(t)
  const tenant = await createOrganization(app)
  const [admin, member] = [await signUp({ role: 'admin' }), await tenant.add('member')]
  const own = await request({
    method: 'POST',
    url: '/api/v1/files',
    payload: { name: 'a' },
    as: tenant.owner,
  })
  const ids: Readonly<Record<string, string>> = {
    '/organizations/api-keys': (await tenant.createApiKey()).id,
    '/organizations/files': (await tenant.createFile()).id,
    '/organizations/projects': (await tenant.createProject()).id,
    '/organizations/webhooks': (await tenant.createWebhook()).id,
    '/files': own.json().id,
    '/users': member.user.id,
    '/operations/users': member.user.id,
  }
  const callerOf = (path: string) => {
    // An owner could not delete their account at all.
    if (path === URL) return member
    return /\/users\/\{id\}$/.test(path) ? admin : tenant.owner
  }
  const operations = versionedOperations(app)
  t.equal(operations.length, 21)
  for (const { operationId, method, path, code } of operations) {
    const kind = path
      .replace('/api/v1', '')
      .replace('/{organization_id}', '')
      .replace(/\/\{id\}.*/, '')
    const payload = CHANGES[operationId] ?? { name: 'Another' }
    const response = await request({
      method,
      url: path
        .replace('{organization_id}', tenant.organization.id)
        .replace('{user_id}', member.user.id)
        .replace('{id}', ids[kind] ?? ''),
      headers: {
        'if-match': '"2020-01-31T08:15:30.123Z"',
        ...(typeof payload === 'string' ? { 'content-type': 'text/plain' } : {}),
      },
      ...(method === 'DELETE' ? {} : { payload }),
      as: callerOf(path),
    })
    expectProblem(t, response, { status: 412, code }, operationId)
  }
})
