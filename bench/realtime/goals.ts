import { type Goal, judge } from '../report/goals.ts'

/** Names of what is measured, of the service's own engine or of Centrifugo beside it. */
export type FigureName =
  | `${'embedded' | 'centrifugo'} ${Measured}`
  | 'writes told / not told'
  | 'reads with / without'
type Measured = 'bytes of an idle socket' | 'deliveries a second of a core' | 'latency' | 'revocation'

export type Figures = Map<FigureName, number>

const KB = 1000

/** The goals of a run. */
export function goalsOf(figures: Figures): Goal[] {
  const ours = (measured: Measured) => figures.get(`embedded ${measured}`)
  const bytes = ours('bytes of an idle socket')
  const deliveries = 'deliveries a second of a core'
  const beside = divide(ours(deliveries), figures.get(`centrifugo ${deliveries}`))
  return [
    judge(atMost('memory of an idle socket', 15, 'KB'), divide(bytes, KB)),
    judge(atLeast(deliveries, 100_000, '/s'), ours(deliveries)),
    judge(atLeast(`${deliveries} / Centrifugo`, 0.6), beside),
    judge(atMost('commit to delivery at 500 a second, p99', 50, 'ms'), ours('latency')),
    judge(
      atLeast('business writes that are told / that are not', 0.9),
      figures.get('writes told / not told'),
    ),
    judge(atMost('revocation over three nodes, p99', 1000, 'ms'), ours('revocation')),
    judge(atMost('p99 of reads with idle sockets / without', 1.1), figures.get('reads with / without')),
  ]
}

function atMost(name: string, target: number, unit: Goal['unit'] = ''): Goal {
  return { name, bound: 'at most', target, unit }
}

function atLeast(name: string, target: number, unit: Goal['unit'] = ''): Goal {
  return { name, bound: 'at least', target, unit }
}

const divide = (value: number | undefined, by: number | undefined) =>
  value === undefined || by === undefined ? undefined : value / by

/** Three digits at least, for ratios lie close together. */
export const rounded = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 10 ? 2 : 1 })
