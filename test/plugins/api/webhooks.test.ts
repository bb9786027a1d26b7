import t from 'tap'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

const DAY_MS = 24 * 60 * 60 * 1000

t.test('settings say where messages may go, and how many webhooks there are', async (t) => {
  const { app, request } = await createTestApp(t, {
    APP_EVENTS__RETENTION: '7d',
    APP_WEBHOOKS__TIMEOUT: '3s',
    APP_WEBHOOKS__ENDPOINTS_PER_ORGANIZATION: '1',
    APP_WEBHOOKS__DISABLE_AFTER: '2d',
    APP_WEBHOOKS__ALLOW_HTTP: 'false',
    APP_WEBHOOKS__ALLOWED_PORTS: '443,8443',
    APP_WEBHOOKS__ALLOW_NETWORKS: '10.20.0.0/16',
    APP_WEBHOOKS__PROXY_URL: 'http://127.0.0.1:3128',
  })
  const tenant = await createOrganization(app)
  const create = (url: string) =>
    request({
      method: 'POST',
      url: `${tenant.url}/webhooks`,
      payload: { url, event_types: ['*'] },
      as: tenant.owner,
    })
  const refused = { status: 400, code: 'webhook_url_refused' }
  for (const url of ['http://example.com', 'https://example.com:9443', 'https://10.30.0.1']) {
    expectProblem(t, await create(url), refused, url)
  }
  t.equal((await create('https://10.20.0.1:8443')).statusCode, 201)
  expectProblem(t, await create('https://example.com'), { status: 409, code: 'webhook_limit_reached' })

  const { events, webhooks } = app.ctx
  t.equal(webhooks.sending.timeoutMs, 3000)
  t.equal(webhooks.sending.proxyUrl, 'http://127.0.0.1:3128')
  t.equal(webhooks.disableAfterMs, 2 * DAY_MS)
  t.equal(events.retentionMs, 7 * DAY_MS)
})
