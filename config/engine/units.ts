type Units = ReadonlyMap<string, number>

/** Units of time and what one of each is worth, in milliseconds; smallest first. */
const TIME: Units = new Map(Object.entries({ ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }))

/** Units of size and what one of each is worth, in bytes; smallest first. */
const SIZE: Units = new Map(Object.entries({ B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }))

/**
 * A written duration in milliseconds: `500ms`, `15s`, `15m`, `24h`, `30d`.
 * Undefined for anything else: no unit, another unit, a fraction, a sign, spaces.
 */
export function parseDuration(text: string): number | undefined {
  return parse(text, TIME)
}

/** A written size in bytes: `512B`, `256KiB`, `64MiB`, `1GiB`. Undefined for anything else. */
export function parseSize(text: string): number | undefined {
  return parse(text, SIZE)
}

/** Milliseconds as they would be written: 900000 is `15m`, 1500 is `1500ms`. */
export function formatDuration(milliseconds: number): string {
  return format(milliseconds, TIME, '0s')
}

/** Bytes as they would be written: 19922944 is `19MiB`. */
export function formatSize(bytes: number): string {
  return format(bytes, SIZE, '0B')
}

function parse(text: string, units: Units): number | undefined {
  const [, amount, unit = ''] = /^(\d+)([A-Za-z]+)$/.exec(text) ?? []
  const worth = units.get(unit)
  const value = worth === undefined ? undefined : Number(amount) * worth
  return Number.isSafeInteger(value) ? value : undefined
}

/** In the largest unit that divides the value; `zero` is how nothing is written. */
function format(value: number, units: Units, zero: string): string {
  let written = zero
  for (const [unit, worth] of units) {
    if (value !== 0 && value % worth === 0) written = `${value / worth}${unit}`
  }
  return written
}
