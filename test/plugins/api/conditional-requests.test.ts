import Fastify from 'fastify'
import t from 'tap'
import conditionalRequests from '#plugins/api/conditional-requests.ts'

const UPDATED = '2026-01-31T08:15:30.123Z'
const TAG = `"${UPDATED}"`

t.test('entity tags', async (t) => {
  const app = Fastify()
  await app.register(conditionalRequests)
  app.route({
    method: ['GET', 'POST'],
    url: '/thing',
    handler: (_request, reply) => reply.sendVersioned({ name: 'thing', updated_at: UPDATED }),
  })
  t.teardown(() => app.close())

  t.test('name the version', async (t) => {
    const response = await app.inject('/thing')
    t.equal(response.headers.etag, TAG)
    t.same(response.json(), { name: 'thing', updated_at: UPDATED })
  })

  t.test('spare a client what it has', async (t) => {
    const rows = [
      { method: 'GET', tag: TAG, status: 304 },
      { method: 'HEAD', tag: TAG, status: 304 },
      { method: 'GET', tag: `W/${TAG}`, status: 304 },
      { method: 'GET', tag: `"${UPDATED}-gzip"`, status: 304 },
      { method: 'GET', tag: `"1", W/"${UPDATED}--gzip"`, status: 304 },
      { method: 'GET', tag: '*', status: 304 },
      { method: 'POST', tag: TAG, status: 200 },
      { method: 'GET', tag: '"1"', status: 200 },
    ] as const
    for (const { method, tag, status } of rows) {
      const response = await app.inject({ method, url: '/thing', headers: { 'if-none-match': tag } })
      t.equal(response.statusCode, status, `${method} ${tag}`)
      t.equal(response.headers.etag, TAG)
      if (status === 304) t.equal(response.body, '')
    }
  })
})

t.test('an answer that holds more than its tag names always comes', async (t) => {
  const app = Fastify()
  await app.register(conditionalRequests)
  app.get('/thing', { config: { versioned: 'partly' } }, (_request, reply) =>
    reply.sendVersioned({ used: 7, updated_at: UPDATED }),
  )
  t.teardown(() => app.close())
  for (const tag of [TAG, '*']) {
    const response = await app.inject({ url: '/thing', headers: { 'if-none-match': tag } })
    t.strictSame([response.statusCode, response.headers.etag], [200, TAG])
    t.equal(response.json().used, 7)
  }
})

t.test('the versions that If-Match names', async (t) => {
  const app = Fastify()
  await app.register(conditionalRequests)
  app.get('/versions', async (request) => ({ versions: request.expectedVersions() ?? 'any' }))
  t.teardown(() => app.close())

  const rows = [
    { header: undefined, versions: 'any' },
    { header: '*', versions: 'any' },
    { header: ' * ', versions: 'any' },
    { header: TAG, versions: [UPDATED] },
    { header: `"1970-01-01T00:00:00.000Z", ${TAG}`, versions: ['1970-01-01T00:00:00.000Z', UPDATED] },
    { header: '"2026-02-30T08:15:30.123Z"', versions: [] },
    { header: '"2026-13-31T08:15:30.123Z"', versions: [] },
    { header: '"2026-01-31T08:15:30.1234Z"', versions: [] },
    { header: '"2026-01-31T24:00:00.000Z"', versions: [] },
    { header: UPDATED, versions: [] },
    { header: `W/${TAG}`, versions: [UPDATED] },
    {
      header: `W/"${UPDATED}-br", "${UPDATED}-gzip", "${UPDATED}--gzip"`,
      versions: [UPDATED, UPDATED, UPDATED],
    },
    { header: `"${UPDATED}-"`, versions: [] },
    { header: `"${UPDATED}-gzip`, versions: [] },
    { header: '"1769847330123"', versions: [] },
    { header: `*, ${TAG}`, versions: [UPDATED] },
    { header: '', versions: [] },
    { header: '"-1"', versions: [] },
  ]
  for (const { header, versions } of rows) {
    const headers = header === undefined ? {} : { 'if-match': header }
    const response = await app.inject({ url: '/versions', headers })
    t.same(response.json().versions, versions, header ?? 'none')
  }
})
