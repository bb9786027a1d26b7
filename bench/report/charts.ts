import type { Series } from '../rounds.ts'
import { spread } from '../statistics.ts'
import { barChart } from './bar-chart.ts'

/** A scenario's chart: what the service reached, and what it is compared with. */
export function drawSeries(title: string, series: readonly Series[], chart: 'p99' | undefined): string {
  const bars = series.flatMap(({ name, isOwn, samples }) => {
    const values = samples.map((sample) => (chart === 'p99' ? sample.p99 : sample.requests_per_second))
    const range = spread(values)
    if (!range) return []
    const { median: value, min, max } = range
    return [{ label: name, value, min, max, colour: isOwn ? 'own' : 'other' } as const]
  })
  const unit = chart === 'p99' ? 'p99 in milliseconds, less is better' : 'requests/s, more is better'
  return barChart(title, `${unit}; medians, the thin lines are the range of the rounds`, bars)
}
