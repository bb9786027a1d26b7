import { type Colour, label, svgDocument, svgLine, svgRectangle, svgText, ticks } from './svg.ts'

export interface Bar {
  label: string
  value: number
  /** The lowest and the highest round. */
  min: number
  max: number
  colour: Colour
}

const LEFT = 250
const RIGHT = 660
const TOP = 62
const ROW = 30

/** Horizontal bars, with the range of the rounds across the end of each. */
export function barChart(title: string, unit: string, bars: readonly Bar[]): string {
  const axis = ticks(Math.max(...bars.map(({ max }) => max)))
  const largest = axis.at(-1) ?? 1
  const x = (value: number) => LEFT + (value / largest) * (RIGHT - LEFT)
  const bottom = TOP + bars.length * ROW
  const grid = axis.flatMap((value) => [
    svgLine(x(value), TOP - 6, x(value), bottom, 'grid'),
    svgText(x(value), bottom + 18, label(value), 'muted', 'middle'),
  ])
  const rows = bars.flatMap((bar, index) => {
    const y = TOP + index * ROW
    const middle = y + ROW / 2 - 3
    return [
      svgText(LEFT - 12, middle + 4, bar.label, '', 'end'),
      svgRectangle(LEFT, y, x(bar.value) - LEFT, ROW - 8, bar.colour),
      svgLine(x(bar.min), middle, x(bar.max), middle, 'spread'),
      svgText(x(bar.max) + 8, middle + 4, label(bar.value)),
    ]
  })
  return svgDocument(title, bottom + 30, [svgText(16, 46, unit, 'muted'), ...grid, ...rows])
}
