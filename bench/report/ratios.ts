import { CONTRACT } from '../environment/lab.ts'
import type { Outcome } from '../run.ts'
import type { Sample } from '../scenarios/contestant.ts'
import { MEMORY_AFTER, MEMORY_MIDDLE, STARTUP } from '../scenarios/cost.ts'
import { FIRST_BYTE, FIRST_BYTE_BESIDE_DEAD } from '../scenarios/deliveries.ts'
import { TOLD, UNTOLD } from '../scenarios/events.ts'
import { FIRST_SECOND, STEADY } from '../scenarios/first-second.ts'
import { LIST_LARGE, LIST_LARGE_DEEP, LIST_OF_100, LIST_SMALL, OF_100 } from '../scenarios/list.ts'
import { BARE_HTTP } from '../scenarios/live.ts'
import { ARGON2_LIMIT } from '../scenarios/login.ts'
import { PLAIN_FASTIFY, WITHOUT_CACHE } from '../scenarios/me.ts'
import {
  OPEN_PROJECT,
  PROJECT,
  PROJECT_BY_KEY,
  PROJECTS_ALONE,
  PROJECTS_AMONG,
} from '../scenarios/projects.ts'
import { PUBLISHED, SEALING_LAG } from '../scenarios/relays.ts'
import { CALM, STORM } from '../scenarios/storm.ts'
import { ONE, TWO } from '../scenarios/workers.ts'
import { INSERT, INSERTED, UPDATE, UPDATED } from '../scenarios/writes.ts'
import { median } from '../statistics.ts'
import axumSqlx from '../targets/axum-sqlx.json' with { type: 'json' }
import { type Goal, judge } from './goals.ts'

type Comparison = Pick<Goal, 'name' | 'bound' | 'target'> & {
  scenario: number
  /** Contestants: this one over that one. */
  of: string
  over: string
  pick: (sample: Sample) => number
}

const rate = (sample: Sample) => sample.requests_per_second
const p50 = (sample: Sample) => sample.p50
const p99 = (sample: Sample) => sample.p99
const cpu = (sample: Sample) => sample.cpu ?? Number.NaN
const OWN = CONTRACT.name
const RUST = axumSqlx.name

/** Work that PostgreSQL is asked to do, beside the server in Rust where the run has it: contestants of a scenario. */
const BESIDE_RUST: readonly (readonly [name: string, scenario: number, of: string, over: string])[] = [
  ['me with the cache off', 2, WITHOUT_CACHE, RUST],
  ['list of 50', 3, LIST_SMALL, RUST],
  ['list of 100', 3, LIST_OF_100, `${RUST}${OF_100}`],
  ['update', 4, UPDATE, `${RUST}${UPDATED}`],
  ['small INSERT', 4, INSERT, `${RUST}${INSERTED}`],
]

/** Goals of the service beside others, as ratios of one run. */
const COMPARISONS: readonly Comparison[] = [
  ratio('/live / bare node:http', 0.75, 1, OWN, BARE_HTTP.name),
  ratio('me / plain Fastify', 2.5, 2, OWN, PLAIN_FASTIFY.name),
  ratio('me / bare node:http', 0.5, 2, OWN, BARE_HTTP.name),
  ratio('me with the cache off / plain Fastify', 1.8, 2, WITHOUT_CACHE, PLAIN_FASTIFY.name),
  ratio('list, large table / small table', 0.85, 3, LIST_LARGE, LIST_SMALL),
  ratio('list, page in the middle / first page', 0.85, 3, LIST_LARGE_DEEP, LIST_LARGE),
  ratio('login / Argon2id limit', 0.8, 5, OWN, ARGON2_LIMIT),
  atMost('p99 of me while logins storm / alone', 3, 6, STORM, CALM, p99),
  ratio('two workers / one process', 1.3, 8, TWO, ONE),
  atMost('p50 of one project / without policy and context', 1.1, 11, PROJECT, OPEN_PROJECT, p50),
  atMost('processor time of one project / without policy and context', 1.1, 11, PROJECT, OPEN_PROJECT, cpu),
  atMost('processor time of one project by an API key / by a session', 1.1, 11, PROJECT_BY_KEY, PROJECT, cpu),
  atMost('p50 of a list among organizations / alone', 1.15, 11, PROJECTS_AMONG, PROJECTS_ALONE, p50),
  atMost('p50 of a write with event and entry / without', 1.25, 12, TOLD, UNTOLD, p50),
  ...BESIDE_RUST.flatMap(([name, scenario, of, over]): Comparison[] => [
    ratio(`${name} / ${RUST}`, 1, scenario, of, over),
    atMost(`p99 of ${name} / ${RUST}`, 1.5, scenario, of, over, p99),
  ]),
]

function ratio(name: string, target: number, scenario: number, of: string, over: string): Comparison {
  return { name, bound: 'at least', target, scenario, of, over, pick: rate }
}

function atMost(
  name: string,
  target: number,
  scenario: number,
  of: string,
  over: string,
  pick: Comparison['pick'],
): Comparison {
  return { name, bound: 'at most', target, scenario, of, over, pick }
}

/** Holds a run's outcomes against what is to be reached. */
export function judgeGoals(outcomes: readonly Outcome[]): Goal[] {
  const startup = figure(outcomes, STARTUP)
  const memory = figure(outcomes, MEMORY_AFTER)
  const middle = figure(outcomes, MEMORY_MIDDLE)
  const growth = memory === undefined || middle === undefined ? undefined : memory / middle
  const [first, steady] = [figure(outcomes, FIRST_SECOND), figure(outcomes, STEADY)]
  const warmth = first === undefined || steady === undefined ? undefined : first / steady
  return [
    ...COMPARISONS.map(({ name, bound, target, ...comparison }) =>
      judge({ name, bound, target, unit: '' }, compare(outcomes, comparison)),
    ),
    judge({ name: STARTUP, bound: 'at most', target: 1000, unit: 'ms' }, startup),
    judge(
      { name: 'memory of one process after the requests', bound: 'at most', target: 200, unit: 'MiB' },
      memory === undefined ? undefined : memory / 2 ** 20,
    ),
    ...judgeEvents(outcomes),
    judge({ name: 'memory at the end / half-way', bound: 'at most', target: 1.1, unit: '' }, growth),
    judge({ name: 'p99 of the first second / steady', bound: 'at most', target: 3, unit: '' }, warmth),
  ]
}

function judgeEvents(outcomes: readonly Outcome[]): Goal[] {
  const [calm, beside] = [figure(outcomes, FIRST_BYTE), figure(outcomes, FIRST_BYTE_BESIDE_DEAD)]
  const delay = calm === undefined || beside === undefined ? undefined : beside / calm
  return [
    judge({ name: FIRST_BYTE, bound: 'at most', target: 1000, unit: 'ms' }, calm),
    judge({ name: 'the same with dead endpoints / without', bound: 'at most', target: 1.5, unit: '' }, delay),
    judge({ name: SEALING_LAG, bound: 'at most', target: 3000, unit: 'ms' }, figure(outcomes, SEALING_LAG)),
    judge({ name: PUBLISHED, bound: 'at least', target: 2000, unit: '/s' }, figure(outcomes, PUBLISHED)),
  ]
}

/** The middle of the ratios of the rounds: each compares what was measured within moments. */
function compare(
  outcomes: readonly Outcome[],
  { scenario, of, over, pick }: Omit<Comparison, 'name' | 'bound' | 'target'>,
): number | undefined {
  const series = outcomes.find(({ id }) => id === scenario)?.series ?? []
  const samples = (name: string) => series.find((each) => each.name === name)?.samples ?? []
  const others = samples(over)
  const ratios = samples(of).flatMap((sample, round) => {
    const other = others[round]
    return other ? pick(sample) / pick(other) : []
  })
  return ratios.length > 0 ? median(ratios) : undefined
}

function figure(outcomes: readonly Outcome[], name: string): number | undefined {
  return outcomes.flatMap(({ figures }) => figures).find((each) => each.name === name)?.value
}
