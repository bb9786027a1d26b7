import t from 'tap'
import { testDeadCredentials } from '#test/plugins/http/limits/dead-credentials.ts'
import { startRedis, WITHOUT_REDIS } from '#test/support/redis-server.ts'

t.test('a dead token, counted in Redis', { skip: WITHOUT_REDIS }, async (t) => {
  const redis = await startRedis(t)
  await testDeadCredentials(t, { APP_REDIS__URL: redis.url, APP_REDIS__COMMAND_TIMEOUT: '5s' })
})
