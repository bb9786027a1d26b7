import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import t from 'tap'
import { readRegistry } from '#process/metric-data.ts'
import { GroupMetrics } from '#process/primary/group-metrics.ts'

/** A process's registry, and how to send it as processes do. */
function createMember() {
  const registry = new Registry()
  const registers = [registry]
  const counter = new Counter({ name: 'things_total', help: 'x', labelNames: ['kind'], registers })
  const histogram = new Histogram({ name: 'seconds', help: 'x', buckets: [1], registers })
  const gauge = new Gauge({ name: 'open', help: 'x', registers })
  const shared = new Gauge({ name: 'rows', help: 'x', aggregator: 'max', registers })
  return {
    counter,
    histogram,
    gauge,
    shared,
    say: async () => JSON.parse(JSON.stringify(await readRegistry(registry))),
  }
}

/** The lines with values, as they are sent. */
async function linesOf(group: GroupMetrics<object>): Promise<string[]> {
  return (await group.read()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

t.test('counts add up, and stay when their process is gone', async (t) => {
  const group = new GroupMetrics<object>()
  const [one, other] = [createMember(), createMember()]
  one.counter.inc({ kind: 'a' }, 2)
  one.histogram.observe(0.5)
  one.gauge.set(3)
  one.shared.set(7)
  other.counter.inc({ kind: 'a' }, 5)
  other.counter.inc({ kind: 'b' })
  other.histogram.observe(2)
  other.gauge.set(4)
  other.shared.set(6)
  group.update(one, await one.say())
  group.update(other, await other.say())
  t.same(await linesOf(group), [
    'things_total{kind="a"} 7',
    'things_total{kind="b"} 1',
    'seconds_bucket{le="1"} 1',
    'seconds_bucket{le="+Inf"} 2',
    'seconds_sum 2.5',
    'seconds_count 2',
    'open 7',
    'rows 7',
  ])

  group.retire(one)
  group.retire({})
  const gone = await linesOf(group)
  t.same(gone.slice(0, 6), [
    'things_total{kind="a"} 7',
    'things_total{kind="b"} 1',
    'seconds_bucket{le="1"} 1',
    'seconds_bucket{le="+Inf"} 2',
    'seconds_sum 2.5',
    'seconds_count 2',
  ])
  t.same(gone.slice(6), ['open 4', 'rows 6'], 'what it had open is gone')

  group.retire(other)
  t.match(await group.read(), /things_total\{kind="a"\} 7/)
})

t.test('values that are not numbers are not sent', async (t) => {
  const member = createMember()
  member.gauge.set(Number.NaN)
  const said: { name: string; values: unknown[] }[] = await member.say()
  t.match(
    said.find(({ name }) => name === 'open'),
    { values: [] },
  )
})
