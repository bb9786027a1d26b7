import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Check, type Finding, problem, warning } from '../check.ts'

const ROOT = join(import.meta.dirname, '../../..')
const MIB = 1024 * 1024

/** MiB that must be free: below the first nothing works for long. */
const LEAST = 100
const COMFORTABLE = 1024

const check: Check = {
  name: 'disk',
  async run({ config }) {
    const places: [string, string][] = [[tmpdir(), 'Backups are unpacked there before they are restored.']]
    if (config.database.url === undefined) {
      places.push([
        join(ROOT, '.data'),
        'The embedded PostgreSQL has its data there, and stops when it is full.',
      ])
    }
    const findings = await Promise.all(places.map(([place, why]) => look(place, why)))
    return findings.flat()
  },
}
export default check

async function look(place: string, why: string): Promise<Finding[]> {
  const { bavail, bsize } = await statfs(place).catch(() => statfs(dirname(place)))
  const free = Math.floor((bavail * bsize) / MIB)
  if (free >= COMFORTABLE) return []
  const what = `${free} MiB are free for ${place}.`
  const how = 'Make room, or move it to a larger disk.'
  return [free < LEAST ? problem(what, why, how) : warning(what, why, how)]
}
