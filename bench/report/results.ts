import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Arguments } from '../arguments.ts'
import type { Outcome } from '../run.ts'
import { SCENARIOS } from '../scenarios/all.ts'
import { type Spread, spread } from '../statistics.ts'
import type { Machine } from '../system/machine.ts'
import { drawSeries } from './charts.ts'
import type { Goal } from './goals.ts'

/** Contents of latest.json. Times are milliseconds, CPU microseconds a request, memory bytes. */
export interface Results {
  machine: Machine
  options: Pick<Arguments, 'quick' | 'rounds' | 'seconds' | 'connections' | 'env'>
  started_at: string
  goals: Goal[]
  scenarios: (Omit<Outcome, 'series'> & { contestants: Summary[] })[]
}

interface Summary {
  name: string
  requests_per_second: Spread | undefined
  p50: Spread | undefined
  p99: Spread | undefined
  cpu: Spread | undefined
  memory: Spread | undefined
  failed: number
}

/** Returns the part of a run that is kept. */
export function summarise(
  run: Pick<Results, 'machine' | 'started_at' | 'goals'>,
  { quick, rounds, seconds, connections, env }: Arguments,
  outcomes: readonly Outcome[],
): Results {
  return {
    ...run,
    options: { quick, rounds, seconds, connections, env },
    scenarios: outcomes.map(({ series, ...outcome }) => ({
      ...outcome,
      contestants: series.map(({ name, samples }) => ({
        name,
        requests_per_second: spread(samples.map((sample) => sample.requests_per_second)),
        p50: spread(samples.map((sample) => sample.p50)),
        p99: spread(samples.map((sample) => sample.p99)),
        cpu: spread(samples.flatMap((sample) => sample.cpu ?? [])),
        memory: spread(samples.flatMap((sample) => sample.memory ?? [])),
        failed: samples.reduce((sum, sample) => sum + sample.failed, 0),
      })),
    })),
  }
}

/** Writes latest.json and a chart for each scenario that has contestants. */
export async function writeResults(
  directory: string,
  results: Results,
  outcomes: readonly Outcome[],
): Promise<void> {
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'latest.json'), `${JSON.stringify(results, null, 2)}\n`)
  for (const { id, title, series } of outcomes) {
    const scenario = SCENARIOS.find((each) => each.id === id)
    if (!scenario || series.length === 0) continue
    const chart = drawSeries(title, series, scenario.chart)
    await writeFile(join(directory, `${scenario.slug}.svg`), chart)
  }
}
