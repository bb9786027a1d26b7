import t from 'tap'
import { jobAttributes, splitTrace, withTrace } from '#lib/jobs/trace-context.ts'

t.test('a place in a trace travels with the data of a job, which handlers do not see', async (t) => {
  const carrier = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
  t.strictSame(withTrace({ a: 1 }, undefined), { a: 1 })
  t.strictSame(splitTrace({ a: 1 }), { data: { a: 1 }, carrier: undefined })
  t.strictSame(splitTrace(withTrace({ a: 1 }, carrier)), { data: { a: 1 }, carrier })
  for (const other of [null, 'x', {}, 7])
    t.strictSame(splitTrace({ a: 1, _trace: other }), { data: { a: 1 }, carrier: undefined })
  t.strictSame(jobAttributes('send_mail'), {
    'messaging.system': 'pg-boss',
    'messaging.destination.name': 'send_mail',
  })
})
