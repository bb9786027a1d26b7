import t from 'tap'
import { median, quantile, spread } from '#bench/statistics.ts'

t.test('the median is the middle one, or between the middle two', async (t) => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([10, 1, 2, 3]), 2.5)
  t.equal(median([7]), 7)
  t.ok(Number.isNaN(median([])))
})

t.test('quantiles lie between the values beside them', async (t) => {
  const values = [5, 1, 4, 2, 3]
  t.equal(quantile(values, 0), 1)
  t.equal(quantile(values, 1), 5)
  t.equal(quantile(values, 0.25), 2)
  t.equal(quantile(values, 0.125), 1.5)
  t.same(values, [5, 1, 4, 2, 3], 'the values stay in their order')
})

t.test('the spread has both ends', async (t) => {
  t.same(spread([3, 1, 8]), { median: 3, min: 1, max: 8 })
  t.equal(spread([]), undefined)
})
