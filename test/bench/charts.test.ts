import t from 'tap'
import { barChart } from '#bench/report/bar-chart.ts'
import { lineChart } from '#bench/report/line-chart.ts'
import { label, ticks } from '#bench/report/svg.ts'

t.test('an axis has round steps up to the largest value', async (t) => {
  t.same(ticks(9.3), [0, 2, 4, 6, 8, 10])
  t.same(ticks(10), [0, 2, 4, 6, 8, 10])
  t.same(ticks(0.07), [0, 0.02, 0.04, 0.06, 0.08])
  t.same(ticks(26_000), [0, 10_000, 20_000, 30_000])
  t.same(ticks(0), [0, 1])
  t.same(ticks(Number.NaN), [0, 1])
})

t.test('labels are short', async (t) => {
  t.equal(label(12_345.6), '12,346')
  t.equal(label(12.34), '12.3')
  t.equal(label(1.234), '1.23')
  t.equal(label(3), '3')
})

t.test('bars are as long as their values', async (t) => {
  const svg = barChart('A < B & "C"', 'requests/s', [
    { label: 'all', value: 100, min: 90, max: 100, colour: 'own' },
    { label: 'half', value: 50, min: 50, max: 50, colour: 'other' },
  ])
  t.match(svg, '<title>A &lt; B &amp; &quot;C&quot;</title>')
  const widths = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width))
  t.equal(widths.length, 2)
  t.equal(widths[0], 2 * (widths[1] ?? 0))
  t.match(svg, 'prefers-color-scheme: dark')
})

t.test('lines go through their points, and their names keep apart', async (t) => {
  const svg = lineChart('Load', { x: 'offered', y: 'served' }, [
    {
      name: 'one',
      colour: 'good',
      points: [
        [0, 0],
        [10, 10],
      ],
    },
    {
      name: 'two',
      colour: 'bad',
      points: [
        [0, 10],
        [10, 10],
      ],
      dashed: true,
    },
  ])
  t.match(svg, /M70 340 L560 62/)
  t.match(svg, /M70 62 L560 62/)
  const heights = ['one', 'two'].map((name) => Number(new RegExp(`y="([\\d.]+)">${name}<`).exec(svg)?.[1]))
  t.ok(Math.abs((heights[0] ?? 0) - (heights[1] ?? 0)) >= 17)
})
