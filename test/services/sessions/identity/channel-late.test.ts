import t from 'tap'
import { IdentityChannel } from '#services/sessions/identity/channel.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'

/** More than the time for which an answer is trusted; milliseconds. */
const LONG = 900

/** The superuser's alone. */
const RENAME = 'ALTER FUNCTION pg_catalog.clock_timestamp() RENAME TO real_clock_timestamp'
/** Each question asks for the time, and waits here for its own lock. */
const GATE = `CREATE SEQUENCE questions;
  CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock_shared(nextval('public.questions'));
    RETURN pg_catalog.real_clock_timestamp();
  END $$`

t.test('an answer is trusted from when it was asked for, however late it is read', async (t) => {
  const db = await createTestDatabase(t)
  await db.querySuper(RENAME)
  await db.query(GATE)
  // The clock of this process runs on while the answer is on its way, as it does when the event loop is blocked.
  const real = performance.now.bind(performance)
  let ahead = 0
  t.intercept(performance, 'now', { value: () => real() + ahead })

  await db.query('SELECT pg_advisory_lock(1), pg_advisory_lock(2)')
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const nothing = {
    forgetSession: () => undefined,
    forgetMember: () => undefined,
    forgetOrganization: () => undefined,
    forgetApiKey: () => undefined,
    forgetUser: () => undefined,
    forgetAll: () => undefined,
  }
  const channel = new IdentityChannel(connectionTo(db.url), nothing, log)
  t.teardown(() => channel.close())
  const asked = (question: number) =>
    eventually(async () => {
      const waiting = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = $1`
      return (await db.query(waiting, [question])).length > 0
    })
  channel.start()
  await asked(1)
  ahead = LONG
  await db.query('SELECT pg_advisory_unlock(1)')
  // The first answer was read before the second question was asked.
  await asked(2)
  t.notOk(channel.isTrusted())
  await db.query('SELECT pg_advisory_unlock(2)')
  await eventually(async () => channel.isTrusted())
})
