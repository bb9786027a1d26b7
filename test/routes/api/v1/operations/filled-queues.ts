import type { Test } from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import type { TestApp } from '#test/support/helper.ts'

/** Where admins operate the service. */
export const BASE = '/api/v1/operations'
/** Why an admin acts. */
export const reason = 'Ticket 4711'
/** Id of a job, but for its number. */
export const ID = '00000000-0000-4000-8000-00000000000'

export interface JobRow {
  id: string
  state: string
  queue: string
  created_at: string
  actions: string[]
  error: string | null
}

/** An application whose jobs nobody works on, and its admin. */
export async function start(t: Test) {
  const testApp = await borrowTestApp(t, { APP_ROLE: 'web' })
  const admin = await testApp.signUp({ role: 'admin' })
  await testApp.db.query('DELETE FROM pgboss.job')
  // The next test waits for what is worked on.
  t.teardown(() => testApp.db.query('DELETE FROM pgboss.job'))
  const get = async (path: string) => {
    const response = await testApp.request({ url: BASE + path, as: admin })
    t.equal(response.statusCode, 200, response.body)
    return response.json()
  }
  const post = (path: string, payload: object) =>
    testApp.request({ method: 'POST', url: BASE + path, as: admin, payload })
  const list = async (query: string): Promise<JobRow[]> => (await get(`/jobs?${query}`)).data
  return { ...testApp, admin, get, post, list }
}

/** One job of each state, numbered. */
export async function fill({ db }: TestApp): Promise<void> {
  await db.query(
    `INSERT INTO pgboss.job (id, name, state, retry_count, created_on, start_after, started_on, completed_on, output, data)
     VALUES
     ('${ID}1', 'send_mail', 'created', 0, now() - interval '9 min', now() - interval '9 min', null, null, null, $2),
     ('${ID}2', 'send_mail', 'retry', 2, now() - interval '8 min', now() + interval '1 h', now(), null, $1, '{}'),
     ('${ID}3', 'cleanup', 'active', 0, now() - interval '7 min', now() - interval '7 min', now(), null, null, '{}'),
     ('${ID}4', 'cleanup', 'completed', 0, now() - interval '6 min', now(), now(), now() - interval '2 min', null, '{}'),
     ('${ID}5', 'cleanup', 'cancelled', 0, now() - interval '5 min', now(), now(), now() - interval '1 min', null, '{}'),
     ('${ID}6', 'send_mail', 'failed', 3, now() - interval '4 min', now(), now(), now(), $1, '{}')`,
    [
      JSON.stringify({ message: `connect ECONNREFUSED 100%_\nBearer ${'a1B2'.repeat(16)}` }),
      JSON.stringify({ to: 'ada@example.com', password: 'planted', nested: { access_token: 'planted' } }),
    ],
  )
  await db.query(
    `INSERT INTO pgboss.job (id, name, source_name, source_id, source_created_on, source_retry_count, source_output)
     VALUES ('${ID}7', 'dead_letter', 'send_mail', '${ID}6', now() - interval '4 min', 3, '{"message":"550 no such mailbox"}')`,
  )
}

/** The numbers of jobs that `fill` made. */
export const numbers = (jobs: readonly JobRow[]) => jobs.map(({ id }) => id.at(-1)).join('')
