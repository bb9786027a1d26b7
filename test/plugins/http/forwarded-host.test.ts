import t from 'tap'
import { createTestApp } from '#test/support/helper.ts'

t.test('X-Forwarded-Host and -Proto are believed of trusted proxies only', async (t) => {
  const seen: Record<string, string>[] = []
  const app = await createTestApp(t, { APP_SERVER__TRUSTED_PROXIES: '10.0.0.0/8' }, async (instance) => {
    instance.addHook('onRequest', async ({ host, protocol, ip }) => void seen.push({ host, protocol, ip }))
  })
  const headers = {
    host: 'api.example.com',
    'x-forwarded-host': 'evil.example, public.example.com',
    'x-forwarded-proto': 'http, https',
    'x-forwarded-for': '6.6.6.6, 192.0.2.1',
  }
  await app.request({ url: '/live', remoteAddress: '10.1.2.3', headers })
  await app.request({ url: '/live', remoteAddress: '203.0.113.1', headers })
  t.strictSame(seen, [
    { host: 'public.example.com', protocol: 'https', ip: '192.0.2.1' },
    { host: 'api.example.com', protocol: 'http', ip: '203.0.113.1' },
  ])
})
