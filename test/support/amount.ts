const isLong = process.env['GROUNDWORK_LONG'] === '1'

/** How many of what is generated in large numbers: few in `npm test`, many in `npm run test:long`. */
export function amount({ few, many }: { few: number; many: number }): number {
  return isLong ? many : few
}
