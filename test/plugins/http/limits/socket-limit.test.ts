import t from 'tap'
import type { Decision } from '#lib/rate-limits/rate-limiter.ts'
import { createSocketLimit } from '#plugins/http/limits/socket-limit.ts'

t.test('WebSockets that a network asks for, whether the count is here or has to be asked for', async (t) => {
  const admitted: Decision = { admitted: true, limit: 3, remaining: 2, resetsIn: 4200, isRepeated: false }
  const refused: Decision = { ...admitted, admitted: false, remaining: 0 }
  for (const wrap of [(decision: Decision) => decision, async (decision: Decision) => decision]) {
    const asked: unknown[][] = []
    const told: string[] = []
    const limitWith = (decision: Decision) =>
      createSocketLimit(
        {
          take(...subject) {
            asked.push(subject)
            return wrap(decision)
          },
        },
        3,
        { refused: (kind) => void told.push(kind) },
      )
    t.equal(await limitWith(admitted)('192.0.2.0/24'), undefined)
    t.same(told, [])
    t.match(await limitWith(refused)('192.0.2.0/24'), { definition: { code: 'rate_limited' }, retryAfter: 5 })
    t.same(told, ['address'])
    t.same(asked, [
      ['sockets:192.0.2.0/24', 3, 1],
      ['sockets:192.0.2.0/24', 3, 1],
    ])
  }
})
