import pg from 'pg'
import root, { type Test } from 'tap'
import type { TestDatabase } from './database.ts'
import { eventually } from './eventually.ts'
import { buildTestApp, failAt, type TestApp } from './helper.ts'

/** Applications that nobody has, by their environment; the one returned last comes last. Each holds a pool of connections. */
const idle = new Map<string, Loan>()
const MAX_IDLE = 2

/** Tables of what an application has written about itself, and goes on to need. */
const KEPT_TABLES = ['instances', 'schemaversion']

let endsWithProcess = false

/**
 * Lends an application until `t` ends, with an empty database and an empty log; otherwise as `createTestApp` makes it,
 * which takes ten times as long. For tests that don't change it, break its connections, or expect absolute counts of its
 * metrics. A test that borrows twice has two.
 */
export async function borrowTestApp(t: Test, env: Record<string, string> = {}): Promise<TestApp> {
  if (!endsWithProcess) root.teardown(endIdle)
  endsWithProcess = true
  const key = JSON.stringify(Object.entries(env).sort())
  const loan = idle.get(key) ?? new Loan()
  idle.delete(key)
  const testApp = await loan.begin(t, env)
  t.teardown(async () => {
    if (!(await loan.end()) || idle.has(key)) return loan.close()
    idle.set(key, loan)
    if (idle.size > MAX_IDLE) await endOldest()
  })
  return testApp
}

/** One application, and the test that has it. */
class Loan {
  #testApp: TestApp | undefined
  #borrower: Test = root
  #isClosed = false
  #catalog = ''
  readonly #teardowns: (() => unknown)[] = []

  async begin(t: Test, env: Record<string, string>): Promise<TestApp> {
    this.#borrower = t
    this.#testApp ??= await this.#build(env)
    return this.#testApp
  }

  /** Returns whether the application is as if it had just started. */
  async end(): Promise<boolean> {
    this.#borrower = root
    if (this.#testApp === undefined || this.#isClosed) return false
    const { app, db, logLines } = this.#testApp
    if ((await catalogOf(db)) !== this.#catalog) return false
    await deleteAllRows(db)
    await app.mailbox?.clear()
    logLines.length = 0
    return true
  }

  async close(): Promise<void> {
    for (const teardown of this.#teardowns) await teardown()
  }

  async #build(env: Record<string, string>): Promise<TestApp> {
    const owner = { teardown: (fn: () => unknown) => this.#teardowns.unshift(fn) }
    const testApp = await buildTestApp(owner, env, {
      violated: (violation) => failAt(this.#borrower, violation),
      closed: () => {
        this.#isClosed = true
      },
    })
    this.#catalog = await catalogOf(testApp.db)
    return testApp
  }
}

/** Returns a text that changes with any table, column, constraint, trigger or function. */
async function catalogOf(db: TestDatabase): Promise<string> {
  const catalogs = ['pg_class', 'pg_attribute', 'pg_constraint', 'pg_trigger', 'pg_proc', 'pg_policy']
  const sums = catalogs.map((name) => `(SELECT sum(xmin::text::int8) FROM ${name})`)
  const [row] = await db.querySuper<{ catalog: string }>(
    `SELECT concat_ws(' ', ${sums.join(', ')}) AS catalog`,
  )
  return row?.catalog ?? ''
}

const DEADLOCK = '40P01'

/** Not TRUNCATE, which makes new files. In one transaction without triggers, which would tell of each row. */
const DELETE_ALL = `DO $$ DECLARE name text; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
      WHERE schemaname = 'public' AND tablename <> ALL ('{${KEPT_TABLES.join(',')}}')
      UNION ALL SELECT 'pgboss.job'
    LOOP EXECUTE 'DELETE FROM ' || name; END LOOP; END $$`

/** Deletes all rows but those of the instance, once no job works on them. */
export async function deleteAllRows(db: TestDatabase): Promise<void> {
  await eventually(async () => {
    const active = await db.querySuper("SELECT FROM pgboss.job WHERE state = 'active' LIMIT 1")
    return active.length === 0
  })
  // The instance's relays lock rows in another order.
  await eventually(() =>
    db.querySuper(DELETE_ALL).then(
      () => true,
      (error: unknown) => {
        if (error instanceof pg.DatabaseError && error.code === DEADLOCK) return false
        throw error
      },
    ),
  )
}

async function endOldest(): Promise<void> {
  for (const [key, loan] of idle) {
    idle.delete(key)
    return loan.close()
  }
}

async function endIdle(): Promise<void> {
  while (idle.size > 0) await endOldest()
}
