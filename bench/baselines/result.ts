import type { LoadResult } from '../load/load.ts'
import { quantile } from '../statistics.ts'

/** Output of a limit's process: the shape of a load's result, and the processor time of the process itself. */
export interface LimitResult extends LoadResult {
  /** Seconds. */
  cpu: number
  /** Bytes, resident. */
  memory: number
}

/**
 * Keeps `callers` calls of `work` under way for `seconds`, after a tenth of that as warm-up, and writes the
 * result on standard output.
 */
export async function measureLimit(
  callers: number,
  seconds: number,
  work: () => Promise<unknown>,
): Promise<void> {
  await repeat(callers, seconds / 10, work, [])
  const times: number[] = []
  const before = process.cpuUsage()
  const begin = performance.now()
  await repeat(callers, seconds, work, times)
  const cpu = process.cpuUsage(before)
  const result: LimitResult = {
    requests: times.length,
    seconds: (performance.now() - begin) / 1000,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    refused: 0,
    errors: 0,
    cpu: (cpu.user + cpu.system) / 1e6,
    memory: process.memoryUsage.rss(),
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

async function repeat(
  callers: number,
  seconds: number,
  work: () => Promise<unknown>,
  times: number[],
): Promise<void> {
  const end = performance.now() + seconds * 1000
  const call = async () => {
    for (let start = performance.now(); start < end; start = performance.now()) {
      await work()
      times.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
}
