import { renderTable } from '../report/table.ts'

/** Names of what is measured, of the service's own engine or of Centrifugo beside it. */
export type FigureName =
  | `${'embedded' | 'centrifugo'} ${Measured}`
  | 'writes told / not told'
  | 'reads with / without'
type Measured = 'bytes of an idle socket' | 'deliveries a second of a core' | 'latency' | 'revocation'

export type Figures = Map<FigureName, number>

interface Goal {
  readonly name: string
  readonly target: string
  /** Undefined when the run has not measured it. */
  readonly reached: (figures: Figures) => number | undefined
  readonly isMet: (value: number) => boolean
  readonly unit: string
}

const KB = 1000

const GOALS: readonly Goal[] = [
  {
    name: 'memory of an idle socket',
    target: 'at most 15 KB',
    reached: (figures) => divide(figures.get('embedded bytes of an idle socket'), KB),
    isMet: (value) => value <= 15,
    unit: ' KB',
  },
  {
    name: 'deliveries a second of a core',
    target: 'at least 100 000',
    reached: (figures) => figures.get('embedded deliveries a second of a core'),
    isMet: (value) => value >= 100_000,
    unit: '',
  },
  {
    name: 'deliveries a second of a core / Centrifugo',
    target: 'at least 0.6',
    reached: (figures) =>
      divide(
        figures.get('embedded deliveries a second of a core'),
        figures.get('centrifugo deliveries a second of a core'),
      ),
    isMet: (value) => value >= 0.6,
    unit: '',
  },
  {
    name: 'commit to delivery at 500 a second, p99',
    target: 'at most 50 ms',
    reached: (figures) => figures.get('embedded latency'),
    isMet: (value) => value <= 50,
    unit: ' ms',
  },
  {
    name: 'business writes that are told / that are not',
    target: 'at least 0.9',
    reached: (figures) => figures.get('writes told / not told'),
    isMet: (value) => value >= 0.9,
    unit: '',
  },
  {
    name: 'revocation over three nodes, p99',
    target: 'at most 1 s',
    reached: (figures) => figures.get('embedded revocation'),
    isMet: (value) => value <= 1000,
    unit: ' ms',
  },
  {
    name: 'p99 of reads with idle sockets / without',
    target: 'at most 1.1',
    reached: (figures) => figures.get('reads with / without'),
    isMet: (value) => value <= 1.1,
    unit: '',
  },
]

const divide = (value: number | undefined, by: number | undefined) =>
  value === undefined || by === undefined ? undefined : value / by

/** The goals that a run has measured, for people. */
export function renderGoals(figures: Figures): string {
  const rows = GOALS.flatMap(({ name, target, reached, isMet, unit }) => {
    const value = reached(figures)
    return value === undefined
      ? []
      : [[name, target, `${rounded(value)}${unit}`, isMet(value) ? 'yes' : 'no']]
  })
  return renderTable([['goal', 'target', 'reached', ''], ...rows])
}

/** Three digits at least, for ratios lie close together. */
export const rounded = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 10 ? 2 : 1 })
