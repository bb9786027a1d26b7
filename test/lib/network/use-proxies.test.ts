import http from 'node:http'
import t from 'tap'
import { useProxies } from '#lib/network/proxies.ts'

t.test('the proxies that the variables name, in either case, and nothing else', async (t) => {
  const given: unknown[] = []
  const undo = () => undefined
  t.intercept(http, 'setGlobalProxyFromEnv', {
    value: (env: unknown) => {
      given.push(env)
      return undo
    },
  })
  const others = [{}, { HTTP_PROXY: '', NO_PROXY: 'a' }, { no_proxy: 'a' }, { HTTP_PROXY_X: 'http://p' }]
  for (const env of others) t.equal(useProxies(env)(), undefined)
  t.strictSame(given, [], 'without a proxy nothing is changed')
  t.equal(useProxies({ HTTP_PROXY: ' HTTP://Proxy:3128\n', no_proxy: ' a,b ', PATH: '/bin' }), undo)
  useProxies({ https_proxy: 'HttpS://p', HTTPS_PROXY: 'http://q', NO_PROXY: 'c' })
  t.strictSame(given, [
    { HTTP_PROXY: 'http://Proxy:3128', no_proxy: 'a,b' },
    { https_proxy: 'https://p', HTTPS_PROXY: 'http://q', NO_PROXY: 'c' },
  ])
})

t.test('a Node that cannot use proxies does not go without', async (t) => {
  t.intercept(http, 'setGlobalProxyFromEnv', { value: undefined })
  t.throws(() => useProxies({ https_proxy: 'http://p' }), {
    name: 'ProxyUnsupported',
    message: 'HTTP_PROXY and HTTPS_PROXY need Node 24.14 or newer',
  })
  t.equal(useProxies({})(), undefined, 'where none is asked for, that does not matter')
})
