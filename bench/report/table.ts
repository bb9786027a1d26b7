import { styleText } from 'node:util'
import type { Series } from '../rounds.ts'
import type { Sample } from '../scenarios/contestant.ts'
import type { Figure } from '../scenarios/scenario.ts'
import { spread } from '../statistics.ts'

type Cell = string
const COLUMNS = ['', 'requests/s', '± %', 'p50 ms', 'p99 ms', 'CPU us', 'MiB', 'failed'] as const

/** A scenario's results for people: medians, and how far the rounds lie apart. */
export function renderSeries(title: string, series: readonly Series[]): string {
  return `${styleText('bold', title)}\n${renderTable([COLUMNS, ...series.map(row)])}`
}

function row({ name, samples }: Series): Cell[] {
  const rate = spread(samples.map((sample) => sample.requests_per_second))
  const apart = rate ? ((rate.max - rate.min) / 2 / rate.median) * 100 : Number.NaN
  const middle = (pick: (sample: Sample) => number | undefined) =>
    spread(samples.flatMap((sample) => pick(sample) ?? []))?.median
  const memory = middle((sample) => sample.memory)
  return [
    name,
    number(rate?.median, 0),
    number(apart, 1),
    number(
      middle((sample) => sample.p50),
      2,
    ),
    number(
      middle((sample) => sample.p99),
      2,
    ),
    number(
      middle((sample) => sample.cpu),
      1,
    ),
    number(memory === undefined ? undefined : memory / 2 ** 20, 0),
    number(
      samples.reduce((sum, sample) => sum + sample.failed, 0),
      0,
    ),
  ]
}

const UNITS = {
  ms: (value: number) => `${number(value, 0)} ms`,
  s: (value: number) => `${number(value, 1)} s`,
  '/s': (value: number) => `${number(value, 0)}/s`,
  bytes: (value: number) => `${number(value / 2 ** 20, 1)} MiB`,
} as const

/** A scenario's figures for people. */
export function renderFigures(title: string, figures: readonly Figure[]): string {
  const rows = figures.map(({ name, value, unit }) => [name, UNITS[unit](value)])
  return `${styleText('bold', title)}\n${renderTable(rows)}`
}

/** A number with that many digits after the point, thousands set apart; `-` when there is none. */
export function number(value: number | undefined, digits: number): string {
  if (value === undefined || Number.isNaN(value)) return '-'
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** Rows of cells as aligned text; the first column to the left, the others to the right. */
export function renderTable(rows: readonly (readonly Cell[])[]): string {
  const count = Math.max(...rows.map((cells) => cells.length))
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...rows.map((cells) => (cells[column] ?? '').length)),
  )
  const lines = rows.map((cells) =>
    widths
      .map((width, column) => {
        const text = cells[column] ?? ''
        return column === 0 ? text.padEnd(width) : text.padStart(width)
      })
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}
