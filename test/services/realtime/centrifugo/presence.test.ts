import t from 'tap'
import { CentrifugoPresence } from '#services/realtime/centrifugo/presence.ts'
import { RealtimeUnavailable } from '#services/realtime/errors.ts'
import { startClusterStandIn } from '#test/support/cluster-stand-in.ts'

t.test('who listens, as a cluster says it', async (t) => {
  const cluster = await startClusterStandIn(t)
  const presence = new CentrifugoPresence(cluster.api)
  const count = (clients: number) =>
    cluster.on('presence_stats', { result: { num_clients: clients, num_users: 2 } })
  const name = (clients: number) => {
    const names = Array.from({ length: clients }, (_, index) => [
      `c${index}`,
      { client: `c${index}`, user: `u${index}` },
    ])
    cluster.on('presence', { result: { presence: Object.fromEntries(names) } })
  }

  count(3)
  name(2)
  t.strictSame(await presence.count('a'), { clients: 3, callers: 2 })
  t.strictSame(await presence.list('a'), [
    { client: 'c0', caller: 'u0' },
    { client: 'c1', caller: 'u1' },
  ])
  t.strictSame(cluster.asked(), [
    ['presence_stats', { channel: 'a' }],
    ['presence_stats', { channel: 'a' }],
    ['presence', { channel: 'a' }],
  ])

  count(1000)
  name(1001)
  t.equal((await presence.list('a')).length, 1000, 'more have come meanwhile')
  count(1001)
  const before = cluster.asked().length
  t.strictSame(await presence.list('a'), [], 'too many to be named')
  t.equal(cluster.asked().length, before + 1, 'so they are not asked for')

  for (const method of ['presence', 'presence_stats']) {
    count(1)
    name(1)
    cluster.on(method, { error: { code: 108, message: 'not available' } })
    const error = await presence.list('a').catch((error: unknown) => error)
    t.ok(error instanceof RealtimeUnavailable, method)
    t.match(error, { retryAfter: 5, cause: { code: 'centrifugo_answer' } })
  }
})
