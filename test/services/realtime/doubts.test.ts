import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import type { OutboxEvent } from '#services/events/sink.ts'
import { doubtedBy } from '#services/realtime/centrifugo/doubts.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

t.test('who hands an organization over may hear less, and nobody else', async (t) => {
  const { app } = await borrowTestApp(t)
  const [org, from, to] = [uuidv7(), uuidv7(), uuidv7()]
  const event: OutboxEvent = {
    id: uuidv7(),
    organization_id: org,
    type: 'organizations.ownership_transferred',
    version: 1,
    subject: { type: 'organization', id: org },
    actor: { kind: 'user', id: from },
    request_id: null,
    impersonator_id: null,
    told_to: null,
    data: JSON.stringify({ from, to }),
    occurred_at: new Date().toISOString(),
  }
  t.strictSame(await doubtedBy(app.ctx, event), [from])
})
