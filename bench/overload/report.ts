import { styleText } from 'node:util'
import { type Line, lineChart } from '../report/line-chart.ts'
import { number, renderTable } from '../report/table.ts'
import type { Capacity, Step } from './steps.ts'
import type { Storm } from './storm.ts'

/** One promise and what became of it. */
export interface Verdict {
  promise: string
  reached: string
  kept: boolean
}

/** Findings about one operation. */
export interface Overload extends Capacity {
  steps: Step[]
}

/** The step that the promise is about. */
const PROMISED_FACTOR = 3

/** Checks a run against the promises of docs/reliability.md. */
export function judge({ operation, steps }: Overload): Verdict[] {
  const peak = Math.max(...steps.map(({ goodput }) => goodput))
  const step = steps.find(({ factor }) => factor === PROMISED_FACTOR)
  if (!step) return []
  const share = step.goodput / peak
  const probes = steps.flatMap((each) => each.probes)
  const failed = probes.reduce((sum, probe) => sum + probe.failed, 0)
  const asked = probes.reduce((sum, probe) => sum + probe.asked, 0)
  const blunt = steps.reduce((sum, each) => sum + each.refusedBluntly + each.wrong, 0)
  return [
    {
      promise: `${operation}, ${PROMISED_FACTOR} times: at least 80 % of the peak is served`,
      reached: `${number(share * 100, 0)} %`,
      kept: share >= 0.8,
    },
    {
      promise: `${operation}, ${PROMISED_FACTOR} times: refused within 100 ms (p99)`,
      reached: `${number(step.refused99, 0)} ms`,
      kept: step.refused99 <= 100,
    },
    {
      promise: `${operation}: every refusal is 429 or 503 with Retry-After`,
      reached: blunt === 0 ? 'all' : `${number(blunt, 1)}/s are not`,
      kept: blunt === 0,
    },
    {
      promise: `${operation}: /live and /metrics always answer`,
      reached: `${asked - failed} of ${asked}`,
      kept: failed === 0,
    },
  ]
}

/** The steps for people; rates a second, times in milliseconds. */
export function renderSteps({ operation, capacity, steps }: Overload): string {
  const head = ['times', 'offered', 'good', 'late', 'refused', 'no answer', 'good p50', 'p99']
  const more = ['refused p50', 'p99', 'good/CPU s', '/live worst', '/metrics worst', 'sender late']
  const rows = steps.map((step) => [
    String(step.factor),
    ...[step.offered, step.goodput, step.late, step.refused, step.unanswered + step.wrong].map(whole),
    ...[step.served50, step.served99, step.refused50, step.refused99, step.goodputPerCpu].map(whole),
    ...step.probes.map(({ failed, worst }) => (failed > 0 ? `${failed} failed` : whole(worst))),
    whole(step.lag),
  ])
  const title = `${operation}: ${whole(capacity)} requests/s are what it can serve`
  return `${styleText('bold', title)}\n${renderTable([[...head, ...more], ...rows])}`
}

/** The storm for people. */
export function renderStorm({ hashes, factor, logins, calm, during }: Storm): string {
  const title = `Logins at ${factor} times the ${whole(hashes)} hashes/s of the machine`
  const row = (name: string, result: Storm['calm']) => [
    name,
    ...[result.offered, result.goodput, result.late, result.refused, result.unanswered + result.wrong].map(
      whole,
    ),
    ...[result.served50, result.served99, result.refused50, result.refused99].map(whole),
  ]
  const head = [
    '',
    'offered',
    'good',
    'late',
    'refused',
    'no answer',
    'good p50',
    'p99',
    'refused p50',
    'p99',
  ]
  const rows = [row('me alone', calm), row('me during it', during), row('login', logins)]
  return `${styleText('bold', title)}\n${renderTable([head, ...rows])}`
}

export function renderVerdicts(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ promise, reached, kept }) => [promise, reached, kept ? 'yes' : 'NO'])
  return renderTable([['promise', 'reached', 'kept'], ...rows])
}

/** Goodput and refusals against the offered load. */
export function drawSteps({ operation, capacity, steps }: Overload): string {
  const over = (pick: (step: Step) => number) => steps.map((step) => [step.offered, pick(step)] as const)
  const peak = Math.max(...steps.map(({ goodput }) => goodput))
  const last = steps.at(-1)?.offered ?? capacity
  const lines: Line[] = [
    { name: 'served in time', colour: 'good', points: over(({ goodput }) => goodput) },
    { name: 'refused (503)', colour: 'other', points: over(({ refused }) => refused) },
    {
      name: 'late or no answer',
      colour: 'bad',
      points: over(({ late, unanswered, wrong }) => late + unanswered + wrong),
    },
    {
      name: '80 % of the peak',
      colour: 'good',
      dashed: true,
      points: [
        [0, peak * 0.8],
        [last, peak * 0.8],
      ],
    },
  ]
  const title = `${operation}: what is served when more is asked for than can be`
  return lineChart(title, { x: 'offered, requests/s', y: 'requests/s' }, lines)
}

function whole(value: number | undefined): string {
  return number(value, 0)
}
