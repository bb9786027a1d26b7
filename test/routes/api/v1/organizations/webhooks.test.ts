import { Webhook as Verifier } from 'standardwebhooks'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import type { WebhookDeliveryDetails } from '#schemas/webhooks.ts'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp, type TestUser } from '#test/support/helper.ts'
import { type Received, startReceiver } from '#test/support/http-receiver.ts'
import { createOrganization, type TestOrganization } from '#test/support/organizations.ts'

const HOUR_MS = 3_600_000

t.test('webhooks', async (t) => {
  const { app, db, request } = await createTestApp(t)

  const create = async (tenant: TestOrganization, url: string, event_types = ['projects.*']) => {
    const payload = { url, event_types }
    return request({ method: 'POST', url: `${tenant.url}/webhooks`, payload, as: tenant.owner })
  }
  const headersOf = ({ headers }: Received) => ({
    'webhook-id': String(headers['webhook-id']),
    'webhook-timestamp': String(headers['webhook-timestamp']),
    'webhook-signature': String(headers['webhook-signature']),
  })
  const verify = (secret: string, message: Received) =>
    new Verifier(secret).verify(message.body, headersOf(message))
  const secretOf = async (url: string, as: TestUser): Promise<string> =>
    (await request({ url: `${url}/secret`, as })).json().secret
  const deliveriesOf = async (url: string, as: TestUser): Promise<WebhookDeliveryDetails[]> =>
    (await request({ url: `${url}/deliveries`, as })).json().data
  const settled = async (url: string, as: TestUser, state: string) => {
    await eventually(async () => (await deliveriesOf(url, as)).every((delivery) => delivery.state === state))
    const [newest] = await deliveriesOf(url, as)
    return (await request({ url: `${url}/deliveries/${newest?.id}`, as })).json()
  }

  await t.test('events of a project arrive, signed, once', async (t) => {
    const receiver = await startReceiver(t)
    const tenant = await createOrganization(app)
    const made = await create(tenant, receiver.url)
    t.equal(made.statusCode, 201, made.body)
    t.match(made.json(), { url: receiver.url, event_types: ['projects.*'], status: 'active' })
    const url = String(made.headers.location)
    const project = await tenant.createProject('Engine')
    const as = tenant.owner
    const target = `${tenant.url}/projects/${project.id}`
    await request({ method: 'PATCH', url: target, payload: { archived: true }, as })
    await request({ method: 'DELETE', url: target, as })
    await eventually(async () => receiver.received.length >= 3)
    const verifier = new Verifier(await secretOf(url, as))
    const told = receiver.received.map((message) => JSON.parse(message.body))
    for (const message of receiver.received) t.ok(verifier.verify(message.body, headersOf(message)))
    t.same(told.map(({ type }) => type).sort(), ['projects.created', 'projects.deleted', 'projects.updated'])
    t.match(
      told.find(({ type }) => type === 'projects.updated'),
      {
        organization_id: tenant.organization.id,
        subject: { type: 'project', id: project.id },
        data: { changed: ['archived'] },
      },
    )
    const details = await settled(url, as, 'delivered')
    t.match(details, {
      attempts: 1,
      next_attempt_at: null,
      attempt_list: [{ number: 1, status: 204, error: null }],
    })
    t.equal(
      receiver.received.some(({ body }) => body === details.body),
      true,
      'the kept text is what was sent',
    )
    t.same(await db.query('SELECT FROM webhook_deliveries WHERE event_type NOT LIKE $1', ['projects.%']), [])
  })

  await t.test('nothing is sent of what was not committed, nor of others', async (t) => {
    const receiver = await startReceiver(t)
    const tenant = await createOrganization(app)
    const other = await createOrganization(app)
    const url = String((await create(tenant, receiver.url)).headers.location)
    await tenant.createProject('Taken')
    const as = tenant.owner
    await request({ method: 'POST', url: `${tenant.url}/projects`, payload: { name: 'Taken' }, as })
    await other.createProject('Other')
    await request({ method: 'POST', url: `${url}/test`, as })
    await eventually(async () => receiver.received.length >= 2)
    await settled(url, as, 'delivered')
    const types = receiver.received.map(({ body }) => JSON.parse(body).type)
    t.same(types.sort(), ['projects.created', 'webhooks.test'])
  })

  await t.test('a secret is replaced with both signing, and is encrypted', async (t) => {
    const receiver = await startReceiver(t)
    const tenant = await createOrganization(app)
    const as = tenant.owner
    const url = String((await create(tenant, receiver.url)).headers.location)
    const old = await secretOf(url, as)
    const rotate = (payload: object, headers = {}) =>
      request({ method: 'POST', url: `${url}/rotate`, payload, headers, as })
    const headers = { 'idempotency-key': uuidv7() }
    const rotated = await rotate({ grace: 604_800 }, headers)
    t.equal(rotated.statusCode, 200)
    const { secret, previous_expires_at } = rotated.json()
    const again = await rotate({ grace: 604_800 }, headers)
    t.strictSame([again.headers['idempotency-replayed'], again.body], ['true', rotated.body], 'is done once')
    t.ok(Date.parse(previous_expires_at) > Date.now())
    t.equal(await secretOf(url, as), secret)
    await request({ method: 'POST', url: `${url}/test`, as })
    await eventually(async () => receiver.received.length === 1)
    for (const key of [old, secret]) for (const message of receiver.received) verify(key, message)
    await rotate({ grace: 0 })
    await request({ method: 'POST', url: `${url}/test`, as })
    await eventually(async () => receiver.received.length === 2)
    const last = receiver.received.slice(1)
    for (const message of last) t.throws(() => verify(secret, message))
    for (const message of last) verify(await secretOf(url, as), message)
    t.equal((await request({ url: `${url}/secret`, as })).json().previous_expires_at, null, 'it is over')
    const day = Date.now() + 24 * HOUR_MS
    const unsaid = (await rotate({})).json()
    t.ok(Math.abs(Date.parse(unsaid.previous_expires_at) - day) < HOUR_MS, 'a day, unless it is said')
    expectProblem(t, await rotate({ grace: 604_801 }), { status: 400, code: 'validation_failed' })
    const rows = await db.query<{ secret: Buffer }>('SELECT secret FROM webhook_endpoints')
    for (const row of rows) t.notOk(row.secret.includes(Buffer.from(secret.slice(6), 'base64')))
  })

  await t.test('a receiver that is gone is disabled; what it missed is recovered', async (t) => {
    const receiver = await startReceiver(t)
    const tenant = await createOrganization(app)
    const as = tenant.owner
    const url = String((await create(tenant, receiver.url)).headers.location)
    receiver.answer((response) => response.writeHead(410).end())
    const since = new Date(Date.now() - 60_000).toISOString()
    await tenant.createProject()
    await eventually(async () => (await request({ url, as })).json().status === 'disabled')
    t.equal((await request({ url, as })).json().disabled_reason, 'gone')
    await tenant.createProject()
    await eventually(async () => (await deliveriesOf(url, as)).length === 2)
    await settled(url, as, 'skipped')
    const recover = () => request({ method: 'POST', url: `${url}/recover`, payload: { since }, as })
    expectProblem(t, await recover(), { status: 409, code: 'webhook_disabled' })
    expectProblem(t, await request({ method: 'POST', url: `${url}/test`, as }), {
      status: 409,
      code: 'webhook_disabled',
    })
    receiver.answer((response) => response.writeHead(200).end('back'))
    await request({ method: 'PATCH', url, payload: { enabled: true }, as })
    t.same((await recover()).json(), { recovered: 2, has_more: false })
    t.match((await settled(url, as, 'delivered')).attempt_list.at(-1), { status: 200, excerpt: 'back' })
    const mails = await db.query<{ text: string }>(
      "SELECT data::text AS text FROM pgboss.job WHERE name = 'send_mail' AND data::text LIKE '%webhook-disabled%'",
    )
    t.equal(mails.length, 1)
  })

  await t.test('a failure is retried later; one can be repeated at once', async (t) => {
    const receiver = await startReceiver(t)
    const tenant = await createOrganization(app)
    const as = tenant.owner
    const url = String((await create(tenant, receiver.url)).headers.location)
    receiver.answer((response) => response.writeHead(429, { 'retry-after': '3600' }).end())
    await tenant.createProject()
    await eventually(async () => (await deliveriesOf(url, as)).some(({ attempts }) => attempts === 1))
    const [delivery] = await deliveriesOf(url, as)
    t.equal((await request({ url, as })).json().status, 'failing')
    t.ok(Date.parse(String(delivery?.next_attempt_at)) > Date.now() + 3_000_000)
    receiver.answer((response) => response.writeHead(204).end())
    await request({ method: 'POST', url: `${url}/deliveries/${delivery?.id}/retry`, as })
    const details = await settled(url, as, 'delivered')
    t.match(details.attempt_list, [
      { number: 1, status: 429 },
      { number: 2, status: 204 },
    ])
    t.equal((await request({ url, as })).json().status, 'active')
    const ids = receiver.received.map(({ headers }) => headers['webhook-id'])
    t.same(ids, [details.event_id, details.event_id])
  })

  await t.test('deleting a webhook cancels what waits', async (t) => {
    const receiver = await startReceiver(t)
    const tenant = await createOrganization(app)
    const as = tenant.owner
    const url = String((await create(tenant, receiver.url)).headers.location)
    receiver.answer((response) => response.writeHead(500).end())
    await tenant.createProject()
    await eventually(async () => (await deliveriesOf(url, as)).some(({ attempts }) => attempts > 0))
    t.equal((await request({ method: 'DELETE', url, as })).statusCode, 204)
    for (const path of ['', '/secret', '/deliveries']) {
      expectProblem(t, await request({ url: url + path, as }), { status: 404, code: 'webhook_not_found' })
    }
    const { data } = (await request({ url: `${tenant.url}/webhooks`, as })).json()
    t.same(data, [])
    for (const table of ['webhook_deliveries', 'webhook_endpoints']) {
      const rows = () => db.query(`SELECT FROM ${table} WHERE org_id = $1`, [tenant.organization.id])
      await eventually(async () => (await rows()).length === 0)
    }
  })

  await t.test('URLs, types and numbers have limits', async (t) => {
    const tenant = await createOrganization(app)
    const refused = [
      ['https://10.0.0.1/', 'refused_host'],
      ['http://169.254.169.254/latest', 'refused_host'],
      ['http://127.0.0.1:8080/', 'refused_host'],
      ['https://user@hooks.example.com/', 'invalid_format'],
    ] as const
    for (const [url, why] of refused) {
      const response = await create(tenant, url)
      const problem = { status: 400, code: 'webhook_url_refused', pointers: ['/body/url'] }
      expectProblem(t, response, problem)
      t.equal(response.json().errors[0].code, why, url)
    }
    const good = 'https://hooks.example.com/'
    for (const types of [['nothing.happened'], ['sessions.*']]) {
      expectProblem(t, await create(tenant, good, types), { status: 400, code: 'unknown_event_type' })
    }
    t.equal((await create(tenant, good, ['*'])).statusCode, 201)
    for (let made = 1; made < 20; made++) await create(tenant, good)
    expectProblem(t, await create(tenant, good), { status: 409, code: 'webhook_limit_reached' })
    const list = await request({ url: `${tenant.url}/webhooks?limit=3`, as: tenant.owner })
    t.equal(list.json().data.length, 3)
    const member = await tenant.add('member')
    const asMember = await request({ url: `${tenant.url}/webhooks`, as: member })
    expectProblem(t, asMember, { status: 403, code: 'forbidden' })
  })
})
