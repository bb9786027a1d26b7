import { quantile } from '../statistics.ts'
import { COMMON_ERROR, DEAD_QUEUE, RARE_ERROR } from './jobs.ts'
import { call, type Stage, say, timed } from './stage.ts'

/** Pages that are asked for, and the milliseconds in which 95 % of them have to come. */
const PAGES = 60
const GOAL_MS = 200

const DAY_MS = 86_400_000
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString()

/** Searches of operators: for everything, what is common, what is rare, and what there is not. */
const SEARCHES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  everything: {},
  'a queue': { queue: 'send_mail' },
  'what waits': { state: 'waiting' },
  'what is done': { state: 'completed' },
  'what was cancelled': { state: 'cancelled' },
  'what failed': { state: 'failed' },
  'dead letters': { state: 'dead' },
  'dead letters of a queue': { state: 'dead', queue: DEAD_QUEUE },
  'dead letters of another queue': { state: 'dead', queue: 'send_mail' },
  'a common error': { state: 'dead', error: COMMON_ERROR },
  'a rare error': { error: RARE_ERROR },
  'a rare error of what failed': { state: 'failed', error: RARE_ERROR },
  'no such error': { error: 'nothing has it' },
  'no such error of what is done': { state: 'completed', error: 'nothing has it' },
  'no such error of what failed': { state: 'failed', error: 'nothing has it' },
  'no such error among dead letters': { state: 'dead', error: 'nothing has it' },
  'no such error of a queue': { queue: 'send_mail', error: 'nothing has it' },
  'a day long ago': { since: daysAgo(20), until: daysAgo(19) },
  'a day long ago, of what failed': { state: 'failed', since: daysAgo(20), until: daysAgo(19) },
  'a day without jobs': { state: 'completed', since: daysAgo(400), until: daysAgo(399) },
}

/** Measures pages of the list of jobs, each search from its beginning on. */
export async function measureLists({ origin, admin }: Stage): Promise<void> {
  say(`\nlistJobs, ${PAGES} pages of 50 each; the goal is ${GOAL_MS} ms for 95 % of them`)
  for (const [name, search] of Object.entries(SEARCHES)) {
    const times: number[] = []
    let found = 0
    let cursor: string | undefined
    for (let page = 0; page < PAGES; page++) {
      const query = new URLSearchParams({ limit: '50', ...search, ...(cursor ? { cursor } : {}) })
      let answer: Record<string, unknown> = {}
      times.push(
        await timed(async () => {
          answer = await call(origin, `/api/v1/operations/jobs?${query}`, admin)
        }),
      )
      found += Array.isArray(answer['data']) ? answer['data'].length : 0
      cursor = answer['next_cursor'] ? String(answer['next_cursor']) : undefined
    }
    const [p50, p95] = [0.5, 0.95].map((share) => quantile(times, share).toFixed(1).padStart(7))
    const verdict = quantile(times, 0.95) <= GOAL_MS ? 'met' : 'MISSED'
    say(`${name.padEnd(34)} p50 ${p50} ms  p95 ${p95} ms  ${String(found).padStart(5)} jobs  ${verdict}`)
  }
}
