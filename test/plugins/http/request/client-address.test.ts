import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createTestApp } from '#test/support/helper.ts'

const PROXY = '10.0.0.1'

t.test('the client that a trusted proxy names', async (t) => {
  const { request, logs } = await borrowTestApp(t, { APP_SERVER__TRUSTED_PROXIES: '10.0.0.0/8' })

  /** The address that the log has for a request with these headers. */
  async function seen(headers: Record<string, string>, remoteAddress = PROXY): Promise<unknown> {
    const response = await request({ url: '/api/v1/users/me', remoteAddress, headers })
    t.equal(response.statusCode, 401, JSON.stringify(headers))
    const id = response.headers['x-request-id']
    return logs().find((line) => line['request_id'] === id && line['remote_address'] && line['path'])?.[
      'remote_address'
    ]
  }
  const rows: [string, string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['6.6.6.6, 192.0.2.1:5678', '192.0.2.1'],
    ['192.0.2.1:5678, 10.0.0.9:443', '192.0.2.1'],
    ['[2001:db8::1]:443 , ::ffff:10.0.0.2', '2001:db8::1'],
    ['nonsense, 192.0.2.1', '192.0.2.1'],
    ['192.0.2.1, unknown', PROXY],
    ['192.0.2.1, unknown, 10.0.0.9', '10.0.0.9'],
    ['10.0.0.3, 10.0.0.4', '10.0.0.3'],
    ['', PROXY],
  ]
  for (const [header, address] of rows) t.equal(await seen({ 'x-forwarded-for': header }), address, header)
  t.equal(await seen({ 'x-forwarded-for': '192.0.2.1' }, '203.0.113.9'), '203.0.113.9', 'not a trusted proxy')
  t.equal(await seen({ forwarded: 'for=192.0.2.1' }), PROXY, 'the other header is not read')
  const warnings = logs().filter(
    ({ level, msg }) => level === 'warn' && /no readable address/.test(String(msg)),
  )
  t.match(warnings, [{ remote_address: PROXY }], 'said once, and not for each request')
  t.equal(warnings.length, 1)
})

t.test('Forwarded is read instead where the configuration says so', async (t) => {
  const { request } = await createTestApp(
    t,
    { APP_SERVER__TRUSTED_PROXIES: '10.0.0.0/8', APP_SERVER__FORWARDED_HEADER: 'forwarded' },
    async (instance) => {
      instance.get('/who', { schema: { hide: true } }, async (request) => ({
        address: instance.clientAddress(request),
      }))
    },
  )
  const headers = { forwarded: 'for=6.6.6.6, for="[2001:db8::1]:443"', 'x-forwarded-for': '6.6.6.6' }
  const response = await request({ url: '/who', remoteAddress: PROXY, headers })
  t.same(response.json(), { address: '2001:db8::1' })
})
