import type pg from 'pg'
import { say } from './stage.ts'

/** Dead letters whose error a search finds. */
const DEAD_LETTERS = 100_000
/** Parts of the errors of those, and of one job in a hundred thousand of the others. */
export const COMMON_ERROR = 'ECONNREFUSED'
export const RARE_ERROR = 'certificate has expired'
/** The queue that the dead letters come from. */
export const DEAD_QUEUE = 'deliver_webhook'

/**
 * Fills the table of jobs with so many of all states, half of them of one queue, created in the last 30 days, and with dead
 * letters.
 */
export async function fillJobs(client: pg.Client, count: number): Promise<void> {
  say(`filling a table with ${count.toLocaleString('en')} jobs`)
  const { rows } = await client.query<{ name: string }>(
    "SELECT name FROM pgboss.queue WHERE name <> 'dead_letter' ORDER BY name",
  )
  const names = rows.map(({ name }) => name)
  await client.query('SET statement_timeout = 0')
  await client.query(
    `INSERT INTO pgboss.job (id, name, state, data, output, retry_count, retry_limit, created_on, start_after, started_on,
                             completed_on)
     SELECT gen_random_uuid(), CASE WHEN n % 2 = 0 THEN 'send_mail' ELSE ($2::text[])[1 + n / 2 % $3::int] END,
            state::pgboss.job_state, '{"id":"4711"}',
            CASE WHEN n % 100000 = 99999 THEN json_build_object('message', '${RARE_ERROR}')
                 WHEN state IN ('retry', 'failed') THEN json_build_object('message', 'connect timeout ' || n) END,
            0, 3, at, CASE WHEN state IN ('created', 'retry') THEN now() + interval '1 day' ELSE at END,
            CASE WHEN state NOT IN ('created', 'cancelled') THEN at END,
            CASE WHEN state IN ('completed', 'cancelled', 'failed') THEN at + interval '1 second' END
     FROM (
       SELECT n, now() - (n % 2592000) * interval '1 second' AS at,
              (ARRAY['completed', 'completed', 'completed', 'completed', 'completed', 'created', 'created', 'retry',
                     'cancelled', 'failed'])[1 + n / 7 % 10] AS state
       FROM generate_series(1, $1::int) AS n
     ) AS numbers`,
    [count, names, names.length],
  )
  await client.query(
    `INSERT INTO pgboss.job (id, name, state, data, output, retry_count, retry_limit, source_name, source_id,
                             source_created_on, source_retry_count)
     SELECT gen_random_uuid(), 'dead_letter', 'created', '{"delivery":"4711"}',
            json_build_object('message', 'connect ${COMMON_ERROR} 203.0.113.' || n % 256), 0, 0, $2, gen_random_uuid(),
            now() - interval '1 hour', 8
     FROM generate_series(1, $1::int) AS n`,
    [DEAD_LETTERS, DEAD_QUEUE],
  )
  await client.query('VACUUM ANALYZE pgboss.job')
}
