import t from 'tap'
import { loadConfig } from '#config/load.ts'
import { publicUrl } from '#config/public-url.ts'

t.test('the public URL follows the port unless it is set', async (t) => {
  const urlOf = (env: Record<string, string>) =>
    publicUrl(loadConfig({ env: { APP_ENVIRONMENT: 'test', ...env } }).config.server)
  t.equal(urlOf({}), 'http://127.0.0.1:8080')
  t.equal(urlOf({ APP_SERVER__PORT: '9090' }), 'http://127.0.0.1:9090')
  t.equal(
    urlOf({ APP_SERVER__PORT: '9090', APP_SERVER__PUBLIC_URL: 'https://api.example.com' }),
    'https://api.example.com',
  )
})
