import { type Colour, label, svgDocument, svgDot, svgLine, svgPath, svgText, ticks } from './svg.ts'

export interface Line {
  name: string
  colour: Colour
  points: readonly (readonly [x: number, y: number])[]
  dashed?: boolean
}

const LEFT = 70
const RIGHT = 560
const TOP = 62
const BOTTOM = 340
/** Least distance of two names beside their lines. */
const NAME_HEIGHT = 17

/** Lines over one axis, each named at its end. */
export function lineChart(title: string, axes: { x: string; y: string }, lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points)
  const xAxis = ticks(Math.max(...points.map(([x]) => x)))
  const yAxis = ticks(Math.max(...points.map(([, y]) => y)))
  const x = (value: number) => LEFT + (value / (xAxis.at(-1) ?? 1)) * (RIGHT - LEFT)
  const y = (value: number) => BOTTOM - (value / (yAxis.at(-1) ?? 1)) * (BOTTOM - TOP)
  const grid = [
    ...yAxis.flatMap((value) => [
      svgLine(LEFT, y(value), RIGHT, y(value), 'grid'),
      svgText(LEFT - 8, y(value) + 4, label(value), 'muted', 'end'),
    ]),
    ...xAxis.map((value) => svgText(x(value), BOTTOM + 18, label(value), 'muted', 'middle')),
    svgText((LEFT + RIGHT) / 2, BOTTOM + 38, axes.x, 'muted', 'middle'),
    svgText(16, 46, axes.y, 'muted'),
  ]
  const drawn = lines.flatMap(({ colour, points, dashed = false }) => [
    svgPath(
      points.map(([px, py]) => [x(px), y(py)]),
      dashed ? `${colour} dashed` : colour,
    ),
    ...(dashed ? [] : points.map(([px, py]) => svgDot(x(px), y(py), colour))),
  ])
  return svgDocument(title, BOTTOM + 52, [...grid, ...drawn, ...names(lines, x, y)])
}

/** The names at the ends of their lines, moved apart where these meet. */
function names(lines: readonly Line[], x: (value: number) => number, y: (value: number) => number): string[] {
  let lowest = Number.NEGATIVE_INFINITY
  return lines
    .map(({ name, points }) => {
      const [px, py] = points.at(-1) ?? [0, 0]
      return { name, x: x(px) + 10, y: y(py) + 4 }
    })
    .sort((a, b) => a.y - b.y)
    .map((place) => {
      lowest = Math.max(place.y, lowest + NAME_HEIGHT)
      return svgText(place.x, lowest, place.name)
    })
}
