import type { Contestant, Sample } from './scenarios/contestant.ts'

/** A contestant's samples, one a round. */
export interface Series {
  name: string
  /** Whether it is the service. */
  isOwn: boolean
  samples: Sample[]
}

export interface RoundOptions {
  rounds: number
  /** Length of one measurement. */
  seconds: number
  /** Length of the load before the first round, for compilers and caches. */
  warmUp: number
  /** Is told before each measurement what comes. */
  onStep: (contestant: string, round: number) => void
}

/** Number of measurements in `measureRounds`. */
export function stepsOf(contestants: number, { rounds }: Pick<RoundOptions, 'rounds'>): number {
  return contestants * (rounds + 1)
}

/**
 * Measures the contestants in turn (A B C A B C ...), so that what the machine does meanwhile meets all of
 * them. Round 0 is the warm-up and does not count.
 */
export async function measureRounds(
  contestants: readonly Contestant[],
  { rounds, seconds, warmUp, onStep }: RoundOptions,
): Promise<Series[]> {
  const series = contestants.map(({ name, isOwn }): Series => ({ name, isOwn, samples: [] }))
  for (let round = 0; round <= rounds; round++) {
    for (const [index, contestant] of contestants.entries()) {
      onStep(contestant.name, round)
      const sample = await contestant.measure(round === 0 ? warmUp : seconds)
      if (round > 0) series[index]?.samples.push(sample)
    }
  }
  return series
}
