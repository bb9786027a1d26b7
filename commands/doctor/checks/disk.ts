import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Check, type Finding, problem, unchecked, warning, wordsOf } from '../check.ts'

const ROOT = join(import.meta.dirname, '../../..')
const MIB = 1024 * 1024

/** MiB that must be free: below the first nothing works for long. */
const MIN_FREE_MIB = 100
const COMFORTABLE_FREE_MIB = 1024

const check: Check = {
  name: 'disk',
  reads: ['database.url'],
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
  const found = await statfs(place)
    .catch(() => statfs(dirname(place)))
    .catch((error: unknown) => wordsOf(error))
  if (typeof found === 'string') {
    return [unchecked(`${place} cannot be looked at: ${found}`, why, 'Make it, or let this user see it.')]
  }
  const { bavail, bsize } = found
  const free = Math.floor((bavail * bsize) / MIB)
  if (free >= COMFORTABLE_FREE_MIB) return []
  const what = `${free} MiB are free for ${place}.`
  const how = 'Make room, or move it to a larger disk.'
  return [free < MIN_FREE_MIB ? problem(what, why, how) : warning(what, why, how)]
}
