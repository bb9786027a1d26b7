import { Counter, Gauge, Registry } from 'prom-client'
import t from 'tap'
import { Histogram } from '#lib/metrics/histogram.ts'
import { renderOpenMetrics } from '#lib/metrics/open-metrics.ts'

t.test('both formats of the same metrics, whichever is read first', async (t) => {
  const registry = new Registry()
  const registers = [registry]
  new Counter({ name: 'things_total', help: 'x', registers }).inc(2)
  new Gauge({ name: 'open', help: 'x', registers }).set(3)
  const histogram = new Histogram({ name: 'seconds', help: 'x', buckets: [1, 2], registers })
  const series = histogram.series({ kind: 'a' })
  series.observe(0.5)
  series.observe(1, '0af7651916cd43dd8448eb211c80319c')
  series.observe(3, 'b7ad6b7169203331b7ad6b7169203331')
  const plain = [
    'things_total 2',
    'open 3',
    'seconds_bucket{le="1",kind="a"} 2',
    'seconds_bucket{le="2",kind="a"} 2',
    'seconds_bucket{le="+Inf",kind="a"} 3',
    'seconds_sum{kind="a"} 4.5',
    'seconds_count{kind="a"} 3',
  ]
  const lines = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  for (let turn = 0; turn < 2; turn++) {
    const open = await renderOpenMetrics(registry)
    t.match(open, /^# TYPE things counter$/m)
    t.match(open, /# EOF\n?$/)
    t.match(lines(open), [
      'things_total 2',
      'open 3',
      /^seconds_bucket\{le="1",kind="a"\} 2 # \{trace_id="0af7651916cd43dd8448eb211c80319c"\} 1 \d+\.\d+$/,
      /^seconds_bucket\{le="2",kind="a"\} 2$/,
      /^seconds_bucket\{le="\+Inf",kind="a"\} 3 # \{trace_id="b7ad6b7169203331b7ad6b7169203331"\} 3 \d+/,
      'seconds_sum{kind="a"} 4.5',
      'seconds_count{kind="a"} 3',
    ])
    t.strictSame(lines(await registry.metrics()), plain)
  }
})
