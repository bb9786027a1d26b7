import { type ComponentChildren, h } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'

/** Values over time; times are seconds since 1970. */
export interface Series {
  readonly times: readonly number[]
  readonly values: readonly number[]
}

interface LineProps {
  readonly title: string
  readonly series: Series
  /** Writes a value with its unit. */
  format(value: number): string
  /** Whether there is nothing between two whole numbers. */
  readonly isCount?: boolean
}

const HEIGHT = 120
/** Seconds that are shown at least; uPlot would show a whole day for a single value. */
const LEAST_TIME_S = 60

const CLOCK = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })

/** Steps between the marks of counts. */
const WHOLE = [1, 2, 5]
  .flatMap((step) => [0, 1, 2, 3, 4, 5, 6].map((power) => step * 10 ** power))
  .sort((a, b) => a - b)

/** A line that grows. Who does not see it reads the last value. */
export function Line({ title, series, format, isCount = false }: LineProps): ComponentChildren {
  const frame = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot>(undefined)
  const last = series.values.at(-1)
  const now = last === undefined ? 'no value yet' : format(last)

  useEffect(() => {
    const element = frame.current
    if (element === null) return
    const draw = () => {
      chart.current?.destroy()
      chart.current = new uPlot(optionsFor(element, format, isCount), [[], []], element)
      chart.current.setData(dataOf(series))
    }
    const resize = new ResizeObserver(() =>
      chart.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    )
    // Colours are painted, so they have to be painted again.
    const dark = matchMedia('(prefers-color-scheme: dark)')
    draw()
    resize.observe(element)
    dark.addEventListener('change', draw)
    return () => {
      dark.removeEventListener('change', draw)
      resize.disconnect()
      chart.current?.destroy()
    }
  }, [])

  useEffect(() => chart.current?.setData(dataOf(series)), [series])

  return h(
    'figure',
    { class: 'chart' },
    h('figcaption', null, title, ' ', h('strong', null, now)),
    h('div', { ref: frame, role: 'img', 'aria-label': `${title}: ${now}` }),
  )
}

function dataOf({ times, values }: Series): uPlot.AlignedData {
  return [[...times], [...values]]
}

function optionsFor(
  element: HTMLElement,
  format: (value: number) => string,
  isCount: boolean,
): uPlot.Options {
  const style = getComputedStyle(element)
  const paint = (name: string) => resolved(element, name)
  const font = `12px ${style.fontFamily}`
  const axis = {
    stroke: paint('--muted'),
    font,
    grid: { stroke: paint('--line'), width: 1 },
    ticks: { show: false },
  }
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { range: ({ data: [times] }) => timesOf(times) },
      y: { range: (_chart, _least, most) => [0, Math.max(most * 1.2, isCount ? 4 : 1e-3)] },
    },
    axes: [
      { ...axis, size: 24, space: 80, values: (_chart, marks) => marks.map((at) => CLOCK.format(at * 1000)) },
      {
        ...axis,
        size: 64,
        values: (_chart, marks) => marks.map(format),
        ...(isCount ? { incrs: WHOLE } : {}),
      },
    ],
    series: [{}, { stroke: paint('--accent'), width: 2, points: { show: false } }],
  }
}

function timesOf(times: ArrayLike<number>): [first: number, last: number] {
  const last = times[times.length - 1] ?? Date.now() / 1000
  return [Math.min(times[0] ?? last, last - LEAST_TIME_S), last]
}

/** A colour as it is now, light or dark. */
function resolved(element: HTMLElement, name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
