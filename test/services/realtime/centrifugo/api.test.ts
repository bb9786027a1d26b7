import { Type } from '@sinclair/typebox'
import t from 'tap'
import { CentrifugoApi, publishing, reconnecting } from '#services/realtime/centrifugo/api.ts'
import { startClusterStandIn } from '#test/support/cluster-stand-in.ts'

const refused = { error: { code: 102, message: 'unknown channel' } }

t.test('the HTTP API of a cluster', async (t) => {
  const cluster = await startClusterStandIn(t)
  const { api, received } = cluster
  t.equal(api.isUp, false, 'nothing is known before the first answer')

  await t.test('a sign of life', async (t) => {
    const timeouts = t.capture(AbortSignal, 'timeout', AbortSignal.timeout)
    await api.check()
    t.match(received, [
      {
        ...{ method: 'POST', url: '/api/info', body: '{}' },
        headers: { 'content-type': 'application/json', 'x-api-key': cluster.key },
      },
    ])
    t.match(timeouts(), [{ args: [3000] }])
    t.equal(api.isUp, true)
    const slashed = new CentrifugoApi({ url: `${cluster.url}/`, key: cluster.key })
    await slashed.check()
    t.equal(received.at(-1)?.url, '/api/info')
  })

  await t.test('commands go together and in order, and are counted as far as they are done', async (t) => {
    const commands = [
      publishing('a:"b"', '{"one":1}', 'id 1'),
      reconnecting('api_key:x'),
      publishing('c', '2', 'id 2'),
    ]
    t.equal(await api.run(commands), 3)
    t.strictSame(cluster.batches(), [
      [
        { publish: { channel: 'a:"b"', data: { one: 1 }, idempotency_key: 'id 1' } },
        { disconnect: { user: 'api_key:x', disconnect: { code: 4000, reason: 'rights changed' } } },
        { publish: { channel: 'c', data: 2, idempotency_key: 'id 2' } },
      ],
    ])
    cluster.on('batch', { replies: [{}, {}, refused] })
    t.equal(await api.run(commands), 2)
    cluster.on('batch', { replies: [{}, refused, {}] })
    t.equal(await api.run(commands), 1)
    cluster.on('batch', { replies: [refused, {}, {}] })
    await t.rejects(api.run(commands), {
      code: 'centrifugo_error_102',
      message: 'Centrifugo refused a command: unknown channel',
    })
    t.ok(api.isUp, 'it has answered')
  })

  await t.test('what is not an answer to each command', async (t) => {
    const answers = [{}, { replies: [] }, { replies: [{}, {}] }, { replies: [{ error: 'text' }] }]
    for (const answer of answers) {
      cluster.on('batch', answer)
      await t.rejects(api.run([reconnecting('x')]), { code: 'centrifugo_answer' }, JSON.stringify(answer))
    }
  })

  await t.test('a question has a result, as it is expected', async (t) => {
    const Result = Type.Object({ count: Type.Integer() })
    cluster.on('presence_stats', { result: { count: 3, more: 1 } })
    t.match(await api.ask('presence_stats', { channel: 'a' }, Result), { count: 3 })
    t.strictSame(cluster.asked().at(-1), ['presence_stats', { channel: 'a' }])
    for (const answer of [{}, { result: {} }, refused, []]) {
      cluster.on('presence_stats', answer)
      const error = {
        code: 'centrifugo_answer',
        message: 'Centrifugo did not answer presence_stats as expected',
      }
      await t.rejects(api.ask('presence_stats', {}, Result), error, JSON.stringify(answer))
    }
    cluster.fail(200, 'null')
    await t.rejects(api.ask('presence_stats', {}, Result), { code: 'centrifugo_answer' })
    cluster.fail(undefined)
  })

  await t.test('one in trouble is not up until it answers again', async (t) => {
    const failures = [
      [401, 'centrifugo_status_401'],
      [500, 'centrifugo_status_500'],
      [204, 'centrifugo_status_204'],
      [200, 'centrifugo_unreachable', 'not JSON'],
      [307, 'centrifugo_unreachable', '', { location: `${cluster.url}/api/elsewhere` }],
    ] as const
    for (const [status, code, text, headers] of failures) {
      cluster.fail(undefined)
      await api.check()
      t.ok(api.isUp)
      cluster.fail(status, text, headers)
      await t.rejects(api.check(), { code }, `${status}`)
      t.notOk(api.isUp, `${status}`)
    }
    t.notOk(
      received.some(({ url }) => url.includes('elsewhere')),
      'the key goes nowhere else',
    )
    t.intercept(AbortSignal, 'timeout', { value: () => AbortSignal.abort() })
    cluster.fail(undefined)
    await t.rejects(api.check(), { code: 'centrifugo_unreachable' }, 'it took too long')
  })
})
