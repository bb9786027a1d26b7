import type { QueryResultRow } from 'pg'
import t from 'tap'
import type { Database, Statement } from '#lib/database/database.ts'
import * as queries from '#services/users/queries.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'

const ROWS = 20_000

interface PlanRow extends QueryResultRow {
  'QUERY PLAN': [{ Plan: Plan }]
}

interface Plan {
  'Node Type': string
  'Index Name'?: string
  Plans?: Plan[]
}

t.test('what is asked often is answered from an index', async (t) => {
  const db = await createTestDatabase(t)
  await fill(db)
  const rows = [
    {
      name: 'login',
      ask: (on: Database) => queries.selectCredentialsByEmail(on, 'USER-77@example.com'),
      uses: ['users_email_key'],
    },
    {
      name: 'authentication',
      ask: (on: Database) => queries.selectUserById(on, '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'),
      uses: ['users_pkey'],
    },
    {
      name: 'the list',
      ask: (on: Database) => queries.selectUsers(on, { limit: 21 }),
      uses: ['users_pkey'],
    },
    {
      name: 'a later page',
      ask: (on: Database) =>
        queries.selectUsers(on, { limit: 21, before: '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90' }),
      uses: ['users_pkey'],
    },
    {
      name: 'the admins',
      ask: (on: Database) => queries.selectUsers(on, { limit: 21, role: 'admin' }),
      uses: ['users_role_id_idx'],
    },
    {
      name: 'the inactive',
      ask: (on: Database) => queries.selectUsers(on, { limit: 21, is_active: false }),
      uses: ['users_is_active_id_idx'],
    },
  ]
  for (const { name, ask, uses } of rows) {
    const nodes = await explain(db, ask)
    t.same(indexes(nodes), uses, `${name}: index`)
    for (const type of ['Sort', 'Seq Scan', 'Bitmap Heap Scan']) {
      t.notOk(
        nodes.some((node) => node['Node Type'] === type),
        `${name}: without ${type}`,
      )
    }
  }
})

t.test('the search by prefix uses both unique indexes', async (t) => {
  const db = await createTestDatabase(t)
  await fill(db)
  for (const q of ['user-12345', 'USER-19999@', 'nobody', 'a_b%c\\']) {
    const nodes = await explain(db, (on) => queries.selectUsers(on, { limit: 21, q }))
    t.same(indexes(nodes), ['users_email_key', 'users_username_key'], q)
    t.notOk(
      nodes.some((node) => node['Node Type'] === 'Seq Scan'),
      `${q}: reads no whole table`,
    )
  }
})

t.test('the unique indexes are those of the constraints that become errors', async (t) => {
  const db = await createTestDatabase(t)
  const rows = await db.query<{ indexdef: string }>(
    `SELECT indexdef FROM pg_indexes WHERE indexname IN ('users_email_key', 'users_username_key') ORDER BY 1`,
  )
  for (const { indexdef } of rows) t.match(indexdef, /UNIQUE INDEX .* \(case_fold\((email|username)\)/)
  t.equal(rows.length, 2)
})

async function fill(db: TestDatabase): Promise<void> {
  await db.query(
    `INSERT INTO users (id, email, username, password_hash, role, is_active)
     SELECT gen_random_uuid(), 'user-' || n || '@example.com', 'User-' || n, '$argon2id$none',
            CASE WHEN n % 1000 = 0 THEN 'admin' ELSE 'user' END, n % 500 <> 0
     FROM generate_series(1, ${ROWS}) AS n`,
  )
  await db.query('ANALYZE users')
}

/** The plan of the statement that the query sends, its nodes in a row. */
async function explain(db: TestDatabase, ask: (on: Database) => Promise<unknown>): Promise<Plan[]> {
  const { text, values = [] } = await capture(ask)
  const [row] = await db.query<PlanRow>(`EXPLAIN (FORMAT JSON) ${text}`, [...values])
  return flatten(row?.['QUERY PLAN'][0].Plan)
}

/** The statement that a query sends. */
async function capture(ask: (on: Database) => Promise<unknown>): Promise<Statement> {
  const sent: Statement[] = []
  const recorder: Database = {
    query: async (statement) => {
      sent.push(statement)
      return []
    },
    transaction: (work) => work(recorder),
  }
  await ask(recorder)
  const [statement] = sent
  if (statement === undefined) throw new Error('nothing was asked')
  return statement
}

function flatten(plan: Plan | undefined): Plan[] {
  return plan === undefined ? [] : [plan, ...(plan.Plans ?? []).flatMap(flatten)]
}

function indexes(nodes: Plan[]): string[] {
  return nodes.flatMap((node) => node['Index Name'] ?? []).sort()
}
