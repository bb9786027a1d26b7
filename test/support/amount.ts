const isLong = process.env['GROUNDWORK_LONG'] === '1'

interface Amount {
  readonly few: number
  readonly many: number
  /** Variable that says another number. */
  readonly variable?: string
}

/** How many of what is generated in large numbers: few in `npm test`, many in `npm run test:long`. */
export function amount({ few, many, variable }: Amount): number {
  const said = variable === undefined ? undefined : process.env[variable]
  return said === undefined ? (isLong ? many : few) : Number(said)
}
