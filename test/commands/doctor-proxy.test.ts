import { createServer } from 'node:net'
import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { findings } from '#test/support/doctor.ts'
import { freePort } from '#test/support/free-port.ts'

t.test('the proxy of outgoing requests', async (t) => {
  const { url } = await createTestDatabase(t)
  const port = await freePort()
  const look = (env: Record<string, string>) => findings(t, { APP_DATABASE__URL: url, ...env })
  const proxy = `http://user:secret@127.0.0.1:${port}`
  const away = await look({ HTTPS_PROXY: proxy })
  t.match(away, [/^problem outgoing proxy: The proxy of HTTPS_PROXY, 127\.0\.0\.1:\d+, cannot be reached/])
  t.notMatch(away.join(), 'secret')

  const server = createServer((socket) => socket.end()).listen(port, '127.0.0.1')
  t.teardown(() => server.close())
  const hosts = 'localhost,.internal,*.svc,10.1.2.3,[::1],collector:4318,*'
  t.same(await look({ http_proxy: proxy, NO_PROXY: hosts }), [])
  t.match(await look({ HTTP_PROXY: proxy, no_proxy: 'a, 10.0.0.0/8,fd00::/8 ,10.1.2.3-10.1.2.9' }), [
    /^warning outgoing proxy: NO_PROXY names networks, .*: 10\.0\.0\.0\/8, fd00::\/8, 10\.1\.2\.3-10\.1\.2\.9 /,
  ])
  for (const name of ['ALL_PROXY', 'all_proxy'])
    t.match(await look({ [name]: 'socks5h://127.0.0.1:1080' }), [
      /^warning outgoing proxy: ALL_PROXY is set, which is not read/,
    ])
  t.same(await look({ ALL_PROXY: proxy, HTTP_PROXY: proxy }), [])
  t.same(await look({ NO_PROXY: '10.0.0.0/8' }), [], 'it means nothing without a proxy')
})
