import t from 'tap'
import { because } from '#lib/context.ts'

t.test('a context that says why has all else of the one before', async (t) => {
  const client = {
    ip: '192.0.2.1',
    userAgent: 'a browser',
    actor: { kind: 'admin', id: '1' },
    requestId: 'req-1',
  } as const
  const ctx = { client, more: 'of it' }
  t.strictSame(because(ctx, 'a ticket'), { client: { ...client, reason: 'a ticket' }, more: 'of it' })
  t.strictSame(because({ client: { ...client, reason: 'before', impersonator: '2' } }, 'a ticket'), {
    client: { ...client, reason: 'a ticket', impersonator: '2' },
  })
  t.strictSame(ctx, { client, more: 'of it' }, 'which stays as it is')
})
