import { type ComponentChildren, h } from 'preact'

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const absolute = new Intl.DateTimeFormat('en-CA', {
  dateStyle: 'short',
  timeStyle: 'medium',
  hourCycle: 'h23',
})

/** A time: how long ago, and exactly. */
export function Time({ at }: { at: string | null | undefined }): ComponentChildren {
  if (!at) return h('span', { class: 'muted' }, 'never')
  return h(
    'time',
    { dateTime: at, title: at },
    h('span', null, fromNow(at)),
    h('span', { class: 'exact' }, absolute.format(new Date(at)).replace(',', '')),
  )
}

function fromNow(at: string): string {
  const seconds = (Date.parse(at) - Date.now()) / 1000
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit)
  }
  return 'now'
}

/** A number of seconds as people say it: `3 h 12 min`. */
export function duration(seconds: number): string {
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [Math.floor(seconds) % 60, 's'],
  ]
  const first = parts.findIndex(([amount]) => amount > 0)
  if (first === -1) return '0 s'
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ')
}

/** The time that a field of the browser names, as the API takes it; undefined for nothing and for nonsense. */
export function instantOf(local: string | undefined): string | undefined {
  const at = new Date(local ?? '')
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString()
}
