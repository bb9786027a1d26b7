import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from '../statistics.ts'
import { COMMON_ERROR, DEAD_QUEUE } from './jobs.ts'
import { call, type Stage, say, timed } from './stage.ts'

const OPERATIONS = '/api/v1/operations'
const reason = 'a benchmark'

/** Milliseconds between the reads of one user, and for how long they are measured before the action. */
const READ_INTERVAL_MS = 5
const QUIET_MS = 10_000

/** Retries all dead letters by a filter while a user reads, and says how long both take. */
export async function measureAction({ origin, admin, user }: Stage, startWorker: () => Promise<unknown>) {
  // What is retried stays where it is: nobody takes it.
  await call(origin, `${OPERATIONS}/queues/${DEAD_QUEUE}/pause`, admin, { reason })
  await startWorker()
  const quiet = await readUntil(origin, user, () => sleep(QUIET_MS))
  const begin = performance.now()
  const jobs = { filter: { state: 'dead', error: COMMON_ERROR } }
  const action = await call(origin, `${OPERATIONS}/job-actions`, admin, { action: 'retry', jobs, reason })
  let done: Record<string, unknown> = {}
  const busy = await readUntil(origin, user, async () => {
    do {
      await sleep(200)
      done = await call(origin, `${OPERATIONS}/job-actions/${action['id']}`, admin)
    } while (done['status'] === 'running')
  })
  const seconds = (performance.now() - begin) / 1000
  const [before, during] = [quantile(quiet, 0.99), quantile(busy, 0.99)]
  say(`\nretried ${done['done']} of ${done['total']} jobs in ${seconds.toFixed(1)} s; the goal is 60 s`)
  say(
    `reads meanwhile: p99 ${during.toFixed(1)} ms, before ${before.toFixed(1)} ms: ` +
      `${(during / before).toFixed(2)} times; the goal is 1.5`,
  )
}

async function readUntil(origin: string, token: string, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  let isOver = false
  const reading = (async () => {
    while (!isOver) {
      times.push(await timed(() => call(origin, '/api/v1/users/me', token)))
      await sleep(READ_INTERVAL_MS)
    }
  })()
  await work()
  isOver = true
  await reading
  return times
}
