import { readFile } from 'node:fs/promises'
import type { Arguments } from './arguments.ts'
import { CONTRACT, type Guest, type Lab } from './environment/lab.ts'
import { withLab } from './environment/open-lab.ts'
import type { Progress } from './report/progress.ts'
import { renderFigures, renderSeries } from './report/table.ts'
import { measureRounds, type Series, stepsOf } from './rounds.ts'
import { chooseScenarios } from './scenarios/all.ts'
import type { Figure, Scenario } from './scenarios/scenario.ts'
import { describeMachine, type Machine } from './system/machine.ts'
import { parseTarget } from './targets/target.ts'

/** Users and projects in the tables; the quick run fills a smaller one. */
const SIZES = { small: 1000, large: 1_000_000, open: 1000 }
const QUICK_SIZES = { small: 1000, large: 100_000, open: 1000 }

/** Result of a scenario. */
export interface Outcome {
  id: number
  title: string
  series: Series[]
  figures: Figure[]
  /** Why it was not measured. */
  skipped?: string
}

export interface Run {
  machine: Machine
  outcomes: Outcome[]
}

/** Runs the scenarios that the arguments ask for, each after the other, and prints each when it is done. */
export async function runScenarios(args: Arguments, progress: Progress): Promise<Run> {
  const scenarios = chooseScenarios(args.scenarios)
  const options = {
    sizes: args.quick ? QUICK_SIZES : SIZES,
    connections: args.connections,
    generator: args.generator,
    env: args.env,
    guests: await readGuests(args),
    onWork: (what: string) => progress.note(what),
  }
  return withLab(options, async (lab) => {
    const outcomes: Outcome[] = []
    for (const [index, scenario] of scenarios.entries()) {
      progress.begin(index / scenarios.length, 1 / scenarios.length)
      const outcome = await runScenario(lab, scenario, args, progress)
      outcomes.push(outcome)
      progress.clear()
      process.stdout.write(`${renderOutcome(outcome)}\n`)
    }
    const { generator, postgres } = lab.options
    return { machine: describeMachine({ postgres: postgres.version, generator: generator.name }), outcomes }
  })
}

async function runScenario(
  lab: Lab,
  scenario: Scenario,
  args: Arguments,
  progress: Progress,
): Promise<Outcome> {
  const { id, title, skip } = scenario
  const outcome: Outcome = { id, title, series: [], figures: [] }
  if (skip !== undefined) return { ...outcome, skipped: skip }
  try {
    const contestants = (await scenario.contestants?.(lab)) ?? []
    const steps = stepsOf(contestants.length, args)
    const onStep = (name: string, round: number) => {
      const when = round === 0 ? 'warm-up' : `round ${round} of ${args.rounds}`
      progress.step(1 / steps, `${title}: ${name}, ${when}`)
    }
    outcome.series = await measureRounds(contestants, { ...args, onStep })
    const onWork = (what: string) => progress.note(what)
    outcome.figures = (await scenario.figures?.(lab, { quick: args.quick, onWork })) ?? []
    return outcome
  } finally {
    await lab.endServers()
  }
}

function renderOutcome({ title, series, figures, skipped }: Outcome): string {
  if (skipped !== undefined) return `${title}: not measured, ${skipped}\n`
  return [
    ...(series.length > 0 ? [renderSeries(title, series)] : []),
    ...(figures.length > 0 ? [renderFigures(title, figures)] : []),
  ].join('\n')
}

async function readGuests({ targets, guest }: Arguments): Promise<Guest[]> {
  const described = await Promise.all(
    targets.map(async (file) => parseTarget(JSON.parse(await readFile(file, 'utf8')))),
  )
  if (!guest) return described.map((target) => ({ target }))
  const { url, name, pid } = guest
  const target = { ...(described[0] ?? CONTRACT), name }
  return [{ target, origin: url, pid }, ...described.slice(1).map((other) => ({ target: other }))]
}
