import t from 'tap'
import { buildApp } from '#app.ts'
import { searchJobs } from '#lib/jobs/administration/administration.ts'
import type { JobSelection } from '#lib/jobs/administration/job-rows.ts'
import { PAGE, WINDOW } from '#lib/jobs/administration/queries.ts'
import { lockActionable } from '#lib/jobs/administration/queries-of-actions.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { testConfig } from '#test/support/helper.ts'
import { explainAll, hearPlans } from './statements.ts'

// Filling the table takes its time, on a machine that may be busy.
t.setTimeout(900_000)

/** Half of them are of one moment, as when one transaction has enqueued them. */
const JOBS = 200_000

const FILL = `
  INSERT INTO pgboss.job (id, name, state, output, created_on, start_after, started_on, completed_on)
  SELECT gen_random_uuid(), CASE WHEN n % 4 < 2 THEN 'send_mail' ELSE ($1::text[])[1 + n / 4 % cardinality($1)] END,
         state::pgboss.job_state, json_build_object('message', 'connect timeout ' || n),
         at, at, CASE WHEN state <> 'created' THEN at END,
         CASE WHEN state IN ('completed', 'cancelled', 'failed') THEN now() - n * interval '1 second' END
  FROM (
    SELECT n, date_trunc('hour', now()) - CASE WHEN n % 2 = 0 THEN 0 ELSE n END * interval '3 seconds' AS at,
           (ARRAY['completed', 'created', 'created', 'retry', 'cancelled', 'failed', 'active'])[1 + n / 8 % 7] AS state
    FROM generate_series(1, ${JOBS}) AS n
  ) AS numbers`

const STATES = ['waiting', 'retrying', 'active', 'completed', 'cancelled', 'failed', 'dead'] as const

/** Lists that are looked at from their begin on. */
const LISTS: readonly JobSelection[] = [
  {},
  { queue: 'send_mail' },
  ...STATES.flatMap((state) => [{ state }, { state, queue: 'send_mail' }]),
]

/** Searches for what there is not, which look as far as they may. */
const SEARCHES: readonly JobSelection[] = [
  { error: 'nothing has it' },
  { queue: 'send_mail', error: 'nothing has it' },
  ...STATES.map((state) => ({ state, error: 'nothing has it' })),
  { since: '2001-01-01T00:00:00Z', until: '2001-01-02T00:00:00Z' },
]

/** Pages of each; PostgreSQL makes a plan for the values of each page. */
const PAGES = 4

t.test(`a page of jobs reads as few of ${JOBS} as of a few, also where they are of one moment`, async (t) => {
  const db = await createTestDatabase(t)
  const app = await buildApp(testConfig(db.url, { APP_ROLE: 'web', APP_LOG__LEVEL: 'error' }))
  t.teardown(() => app.close())
  const names = await app.jobs.names()
  t.ok(names.length > 10)
  await db.query(FILL, [names])
  await db.querySuper('VACUUM ANALYZE pgboss.job')
  for (const sql of explainAll(db.name)) await db.querySuper(sql)
  const heard = hearPlans()
  const other = await buildApp(testConfig(db.url, { APP_ROLE: 'web', APP_LOG__LEVEL: 'error' }))
  t.teardown(() => other.close())

  // A page looks through a window and reads those jobs; some of each queue are read in advance.
  const most = { page: 2 * (PAGE + names.length), search: 2 * (WINDOW + 10 * names.length) }
  const expectFew = (what: object, mark: string, limit: number) => {
    const plans = heard.splice(0).filter((plan) => plan.includes(mark))
    t.ok(plans.length > 0, 'plans are heard')
    for (const plan of plans.filter((one) => rowsReadBy(one) > limit))
      t.fail(`${JSON.stringify(what)}: ${rowsReadBy(plan)} rows`, { plan: plan.split('\n') })
  }
  for (const selection of [...LISTS, ...SEARCHES]) {
    let after: { at: string; id: string } | undefined
    for (let page = 0; page < PAGES; page++) {
      const { next } = await searchJobs(other.db, names, { ...selection, after, limit: 50 })
      if (next === undefined) break
      after = next
    }
    expectFew(selection, 'looked AS MATERIALIZED', isSearch(selection) ? most.search : most.page)
  }

  let last: { at: string; id: string } | undefined
  for (let step = 0; step < PAGES; step++) {
    const piece = await other.db.transaction((tx) =>
      lockActionable(tx, 'send_mail', 'retry', { state: 'cancelled', after: last, window: 1000 }),
    )
    last = piece.last
  }
  expectFew({ action: 'retry' }, 'FOR UPDATE OF j', 3000)
})

/** Whether matches are looked for among others: the index of what has ended has two states, and dead letters one queue. */
function isSearch({ queue, state, error, since }: JobSelection): boolean {
  const isEnded = state === 'completed' || state === 'cancelled'
  const isOfSource = queue !== undefined && (state === undefined || state === 'dead')
  return isEnded || isOfSource || error !== undefined || since !== undefined
}

/** Rows of jobs that a plan has read, those that it then left out included. */
function rowsReadBy(plan: string): number {
  let sum = 0
  for (const node of plan.split('->').filter((text) => /Scan.* on job/.test(text.split('\n')[0] ?? ''))) {
    const [, rows = '0', loops = '0'] = /actual rows=([\d.]+) loops=(\d+)/.exec(node) ?? []
    const [, removed = '0'] = /Rows Removed by Filter: (\d+)/.exec(node) ?? []
    sum += (Number(rows) + Number(removed)) * Number(loops)
  }
  return Math.round(sum)
}
