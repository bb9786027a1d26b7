import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { startInstance } from '#test/support/instances.ts'
import { stopTimers } from '#test/support/stop-timers.ts'
import { pair } from './pair.ts'

const app = await startInstance(t, await createTestDatabase(t), { APP_ROLE: 'web', APP_LOG__LEVEL: 'info' })

t.test(
  'a worker looks ten times a second whether it is ready, and waits five seconds for metrics',
  async (t) => {
    const { theirs, start } = pair()
    const link = start()
    link.share(app)
    const pass = stopTimers(t)
    theirs.channel.other = undefined
    const outcome: unknown[] = []
    app.readMetrics().catch(({ message }) => outcome.push(message))
    await pass(4999)
    t.strictSame(outcome, [])
    await pass(1)
    t.strictSame(outcome, ['the primary process gave no metrics'])

    let looks = 0
    t.intercept(app, 'isDraining', { value: () => false })
    t.intercept(app.health, 'run', {
      value: async () => [{ name: 'database', status: ++looks < 3 ? 'down' : 'up', latency_ms: 0 }],
    })
    theirs.channel.sent.length = 0
    void link.report(app)
    for (const [milliseconds, expected] of [
      [99, 1],
      [1, 2],
      [99, 2],
      [1, 3],
      [1000, 3],
    ] as const) {
      await pass(milliseconds)
      t.equal(looks, expected)
    }
    t.match(theirs.channel.sent, [{ type: 'listening' }, { type: 'ready' }])
  },
)
