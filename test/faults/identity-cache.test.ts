import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { startRedis, WITHOUT_REDIS } from '#test/support/redis-server.ts'

t.test(
  'no ended session comes back to life, whatever Redis remembers',
  { skip: WITHOUT_REDIS },
  async (t) => {
    const redis = await startRedis(t)
    const env = { APP_REDIS__URL: redis.url }
    const { app, db, signUp } = await createTestApp(t, env)
    const other = await startInstance(t, db, env)
    const { headers, session_id } = await signUp()
    const me = { url: '/api/v1/users/me', headers }
    const statusAt = async (instance: typeof app) => (await instance.inject(me)).statusCode

    await eventually(async () => {
      app.identities.forgetAll()
      t.equal(await statusAt(app), 200)
      return String(await redis.command('KEYS', '*')).includes(session_id)
    })
    const [key = ''] = [await redis.command('KEYS', `*${session_id}`)].flat().map(String)
    const kept = String(await redis.command('GET', key))
    t.notMatch(kept, 'argon2')

    redis.pause()
    t.equal((await app.inject({ ...me, method: 'POST', url: '/api/v1/auth/logout' })).statusCode, 204)
    t.equal(await statusAt(app), 401, 'at once, though Redis hangs')
    await eventually(async () => (await statusAt(other)) === 401)
    redis.resume()
    await eventually(async () => app.redis?.isReady === true && other.redis?.isReady === true)
    await redis.command('SET', key, kept)
    const fresh = await startInstance(t, db, env)
    for (const instance of [app, other, fresh]) {
      t.equal(await statusAt(instance), 401)
      t.equal(await statusAt(instance), 401)
    }
  },
)
