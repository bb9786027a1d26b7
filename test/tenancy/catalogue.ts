import type { TestDatabase } from '#test/support/database.ts'
import {
  FURTHER_POLICIES,
  GLOBAL_INDEXES,
  GLOBAL_TABLES,
  LOOSE_TABLES,
  tablesOf,
  tenantColumn,
  tenantTablesOf,
} from './tables.ts'

/** The policies that every tenant table has. */
const standard = (column: string): Readonly<Record<string, string>> => ({
  tenant: `ALL (${column} = ( SELECT current_org() AS current_org))`,
  system: 'ALL ( SELECT is_system_scope() AS is_system_scope)',
})

/** Finds whatever in the catalogue could let a row of one organization be reached from another, one line each. */
export async function holesOf(db: Pick<TestDatabase, 'query'>): Promise<string[]> {
  const found = [...(await holesOfSchema(db))]
  for (const table of await tenantTablesOf(db)) found.push(...(await holesOfTable(db, table)))
  const tables = await tablesOf(db)
  for (const table of Object.keys(GLOBAL_TABLES)) {
    if (!tables.includes(table)) found.push(`there is no table ${table}`)
    else found.push(...(await holesOfGlobalTable(db, table)))
  }
  return found
}

/** Organizations may live on many servers, and what is global on each of them: it can't refer to one of them. */
async function holesOfGlobalTable(db: Pick<TestDatabase, 'query'>, table: string): Promise<string[]> {
  return (await foreignKeysOf(db, table))
    .filter(({ target }) => !Object.hasOwn(GLOBAL_TABLES, target))
    .map(({ name }) => `${name} leads from a global table into an organization`)
}

async function holesOfTable(db: Pick<TestDatabase, 'query'>, table: string): Promise<string[]> {
  const column = tenantColumn(table)
  const found: string[] = []
  const [security] = await db.query<{ enabled: boolean; forced: boolean }>(
    'SELECT relrowsecurity AS enabled, relforcerowsecurity AS forced FROM pg_class WHERE oid = $1::regclass',
    [table],
  )
  if (!security?.enabled) found.push(`${table} has no row-level security`)
  if (!security?.forced) found.push(`${table} does not force row-level security on its owner`)
  const isLoose = Object.hasOwn(LOOSE_TABLES, table)
  const [key] = await db.query(
    "SELECT FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2 AND atttypid = 'uuid'::regtype AND (attnotnull OR $3)",
    [table, column, isLoose],
  )
  if (key === undefined) return [...found, `${table} has no ${column} that is a uuid and not null`]
  found.push(...(await policyHoles(db, table)), ...(await keyHoles(db, table)))
  return found
}

async function policyHoles(db: Pick<TestDatabase, 'query'>, table: string): Promise<string[]> {
  const policies = await db.query<{ name: string; text: string; ordinary: boolean }>(
    `SELECT policyname AS name, concat_ws(' ', cmd, qual, 'CHECK ' || with_check) AS text,
            permissive = 'PERMISSIVE' AND roles = '{public}' AS ordinary
     FROM pg_policies WHERE schemaname = 'public' AND tablename = $1`,
    [table],
  )
  const expected = standard(tenantColumn(table))
  const found = Object.keys(expected)
    .filter((name) => !policies.some((policy) => policy.name === name))
    .map((name) => `${table} has no policy ${name}`)
  for (const { name, text, ordinary } of policies) {
    const isKnown =
      expected[name] === text || FURTHER_POLICIES[`${table}.${name}`]?.test(text.replaceAll('\n', ' '))
    if (!isKnown || !ordinary) found.push(`${table} has another policy ${name}: ${text}`)
  }
  return found
}

async function keyHoles(db: Pick<TestDatabase, 'query'>, table: string): Promise<string[]> {
  const found: string[] = []
  const indexes = await db.query<{ name: string; first: string | null }>(
    `SELECT i.indexrelid::regclass::text AS name, a.attname AS first
     FROM pg_index i LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
     WHERE i.indrelid = $1::regclass AND i.indisunique`,
    [table],
  )
  for (const { name, first } of indexes) {
    if (first !== tenantColumn(table) && !Object.hasOwn(GLOBAL_INDEXES, name))
      found.push(`${name} is unique among all organizations`)
  }
  const keys = await foreignKeysOf(db, table)
  for (const { name, target, columns, targets, cleared } of keys) {
    if (cleared.includes(tenantColumn(table))) found.push(`${name} takes rows from their organization`)
    // A key of another tenant table leads nowhere but to rows of the same organization.
    const isOwn = columns.some(
      (column, at) =>
        [tenantColumn(table), 'org_id'].includes(column) && targets[at] === tenantColumn(target),
    )
    if (!Object.hasOwn(GLOBAL_TABLES, target) && !isOwn) found.push(`${name} leaves the organization`)
  }
  const belongs = table === 'organizations' || Object.hasOwn(LOOSE_TABLES, table)
  if (!belongs && !keys.some(({ target }) => target === 'organizations'))
    found.push(`${table} does not belong to organizations`)
  return found
}

interface ForeignKey {
  name: string
  target: string
  columns: string[]
  /** The columns that they are compared with, in the same order. */
  targets: string[]
  /** Columns that become NULL when the row is deleted that they lead to. */
  cleared: string[]
}

function foreignKeysOf(db: Pick<TestDatabase, 'query'>, table: string): Promise<ForeignKey[]> {
  const names = (relation: string, numbers: string) =>
    `ARRAY (SELECT attname::text FROM unnest(${numbers}) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute ON attrelid = ${relation} AND attnum = k.number ORDER BY place)`
  const cleared = "CASE confdeltype WHEN 'n' THEN coalesce(confdelsetcols, conkey) END"
  return db.query<ForeignKey>(
    `SELECT conname AS name, confrelid::regclass::text AS target, ${names('conrelid', 'conkey')} AS columns,
            ${names('confrelid', 'confkey')} AS targets, ${names('conrelid', cleared)} AS cleared
     FROM pg_constraint WHERE contype = 'f' AND conrelid = $1::regclass`,
    [table],
  )
}

async function holesOfSchema(db: Pick<TestDatabase, 'query'>): Promise<string[]> {
  const rows = await db.query<{ hole: string }>(`
    SELECT 'the function ' || proname || ' acts as its owner' AS hole FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace AND prosecdef
    UNION ALL SELECT 'the function ' || proname || ' is leakproof' FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace AND proleakproof
    UNION ALL SELECT 'the view ' || relname || ' is not security_invoker' FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
        AND NOT coalesce(reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false)
    UNION ALL SELECT 'the materialized view ' || relname || ' has no policies' FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind = 'm'`)
  return rows.map(({ hole }) => hole)
}
