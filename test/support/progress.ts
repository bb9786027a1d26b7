import { readdirSync } from 'node:fs'
import type { Writable } from 'node:stream'

const INTERVAL_MS = 10_000

/**
 * Says now and then how many files of a queue (shared-files.ts) have begun, as long as that grows.
 *
 * @returns ends it
 */
export function reportProgress(queue: string, output: Writable, intervalMs = INTERVAL_MS): () => void {
  const count = () => readdirSync(queue).length
  const all = count()
  let told = 0
  const report = () => {
    const begun = all - count()
    if (begun === told) return
    told = begun
    output.write(`${begun} of ${all} test files have begun\n`)
  }
  const timer = setInterval(report, intervalMs)
  return () => clearInterval(timer)
}
