import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { startInstance } from '#test/support/instances.ts'

const LOCAL: readonly Record<string, string>[] = [
  {},
  { host: 'localhost:8080' },
  { host: '[::1]:8080' },
  { host: '127.0.0.1' },
  { 'x-forwarded-for': '127.0.0.1, ::1', 'x-forwarded-host': 'localhost:5173' },
  { 'x-forwarded-for': ' , 127.0.0.1,' },
  { forwarded: 'for="[::1]:4711";host=localhost:5173;proto=http;by=_proxy' },
  { forwarded: 'PROTO=https;FOR=127.0.0.1:80' },
]

const OTHERS: readonly Record<string, string>[] = [
  { host: 'api.example.com' },
  { host: '192.168.1.5:8080' },
  { 'x-forwarded-for': '203.0.113.9' },
  { 'x-forwarded-for': '203.0.113.9, 127.0.0.1' },
  { 'x-forwarded-for': '127.0.0.1, [2001:db8::1]:443' },
  { 'x-forwarded-for': 'unknown' },
  { 'x-forwarded-host': 'api.example.com' },
  { 'x-real-ip': '192.168.1.7' },
  { forwarded: 'for=203.0.113.9;proto=https' },
  { forwarded: 'for=127.0.0.1, for=_hidden' },
  { 'cf-connecting-ip': '2001:db8::1' },
  { 'true-client-ip': '203.0.113.9' },
  { 'x-client-ip': '203.0.113.9' },
]

t.test('development settings are for this machine', async (t) => {
  const app = await startInstance(t, await createTestDatabase(t), {
    APP_ROLE: 'web',
    APP_SERVER__LOCAL_ONLY: 'true',
  })
  const get = async (headers: Record<string, string>, remoteAddress?: string) => {
    const { statusCode, body } = await app.inject({
      url: '/live',
      headers: { host: 'localhost', ...headers },
      ...(remoteAddress === undefined ? {} : { remoteAddress }),
    })
    return statusCode === 403 ? JSON.parse(body).code : statusCode
  }
  for (const headers of LOCAL) t.equal(await get(headers), 200, JSON.stringify(headers))
  for (const headers of OTHERS) t.equal(await get(headers), 'not_local', JSON.stringify(headers))
  for (const address of ['127.0.0.2', '::1', '::ffff:127.0.0.1'])
    t.equal(await get({}, address), 200, address)
  for (const address of ['203.0.113.9', '2001:db8::1']) t.equal(await get({}, address), 'not_local', address)
})
