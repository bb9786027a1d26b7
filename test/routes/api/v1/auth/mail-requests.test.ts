import t from 'tap'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'

/** Requests that do nothing but have a worker look whether there is something to mail. */
const REQUESTS = ['password/forgot', 'email/resend']

t.test('a request for a mail that nobody could take down is not said to be accepted', async (t) => {
  const { app, db } = await createTestApp(t, { APP_ROLE: 'web' })
  const ask = (path: string) =>
    app.inject({ method: 'POST', url: `/api/v1/auth/${path}`, payload: { email: 'ada@example.com' } })
  for (const path of REQUESTS) t.equal((await ask(path)).statusCode, 202, path)
  await db.query(
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no job'; END $$`,
  )
  await db.query('CREATE TRIGGER refuse BEFORE INSERT ON pgboss.job FOR EACH ROW EXECUTE FUNCTION refuse()')
  for (const path of REQUESTS)
    expectProblem(t, await ask(path), { status: 500, code: 'internal_error' }, path)
})
