import t from 'tap'
import { Summary } from '#plugins/http/overload/summary.ts'

t.test('a summary counts what was not told yet, by reason', async (t) => {
  const told: [total: number, reasons: Record<string, number>][] = []
  const summary = new Summary((...line) => told.push(line))
  summary.flush()
  t.strictSame(told, [], 'nothing is told of nothing')
  summary.add('a')
  summary.add('b')
  summary.add('a')
  summary.flush()
  summary.add('b')
  summary.flush()
  summary.flush()
  t.strictSame(told, [
    [3, { a: 2, b: 1 }],
    [1, { b: 1 }],
  ])
})

t.test('the first of a kind is not part of it, in each second again', async (t) => {
  const told: unknown[] = []
  const summary = new Summary((total) => told.push(total))
  t.strictSame(
    ['a', 'a', 'b'].map((reason) => summary.claimFirst(reason)),
    [true, false, true],
  )
  summary.flush()
  t.ok(summary.claimFirst('a'))
  summary.flush()
  t.strictSame(told, [])
})
