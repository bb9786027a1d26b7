import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

/*
 * A table belongs to the folder whose SQL inserts into it. No other folder may write it, and one that reads it says so
 * beside the statement: `@reads users` in a comment.
 */

const ROOT = join(import.meta.dirname, '../..')

/** Tables that only versions before this one write, and the part that empties them. */
const EMPTIED: Readonly<Record<string, string>> = { security_events: 'services/security-events' }

/** A file's SQL, as far as it names tables. */
interface Uses {
  readonly file: string
  /** The part of the tree that it belongs to, such as `services/users`. */
  readonly part: string
  readonly inserted: ReadonlySet<string>
  readonly written: ReadonlySet<string>
  readonly read: ReadonlySet<string>
  readonly declared: ReadonlySet<string>
}

function namesIn(text: string, pattern: RegExp, tables: ReadonlySet<string>): Set<string> {
  const names = [...text.matchAll(pattern)].map(([, name = '']) => name)
  return new Set(names.filter((name) => tables.has(name)))
}

function usesOf(file: string, text: string, tables: ReadonlySet<string>): Uses {
  return {
    file,
    part: file.split('/').slice(0, 2).join('/'),
    inserted: namesIn(text, /\bINSERT INTO (\w+)/g, tables),
    written: namesIn(text, /\b(?:INSERT INTO|UPDATE|DELETE FROM|TRUNCATE|table:) '?(\w+)/g, tables),
    read: new Set([
      ...namesIn(text, /\b(?:FROM|JOIN|USING)\s+(\w+)/g, tables),
      ...namesIn(text, /\bFROM [\w ]+,\s+(\w+)/g, tables),
    ]),
    declared: namesIn(text, /@reads (\w+)/g, tables),
  }
}

/** Problems of these files, one line each. */
function breaches(files: Readonly<Record<string, string>>, tables: ReadonlySet<string>): string[] {
  const all = Object.entries(files).map(([file, text]) => usesOf(file, text, tables))
  const owners = new Map(Object.entries(EMPTIED).map(([table, part]) => [table, new Set([part])]))
  for (const { part, inserted } of all) {
    for (const table of inserted) owners.set(table, new Set(owners.get(table)).add(part))
  }
  const found = all.flatMap((uses) => breachesOf(uses, (table) => owners.get(table)?.has(uses.part) ?? false))
  for (const table of tables) {
    const parts = [...(owners.get(table) ?? [])]
    if (parts.length !== 1) found.push(`${table} is inserted into by ${parts.join(' and ') || 'nothing'}`)
  }
  return found
}

function breachesOf({ file, written, read, declared }: Uses, owns: (table: string) => boolean): string[] {
  const isForeign = (table: string) => !owns(table)
  const foreignWrites = [...written].filter(isForeign)
  const foreignReads = [...read].filter((table) => isForeign(table) && !written.has(table))
  return [
    ...foreignWrites.map((table) => `${file} writes ${table}`),
    ...foreignReads.filter((table) => !declared.has(table)).map((table) => `${file} reads ${table}`),
    ...[...declared].filter((table) => !read.has(table)).map((table) => `${file} does not read ${table}`),
  ]
}

function migratedTables(): Set<string> {
  const files = globSync('migrations/*.do.*.sql', { cwd: ROOT })
  const sql = files.map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n')
  return new Set([...sql.matchAll(/CREATE (?:UNLOGGED )?TABLE (\w+)/g)].map(([, name = '']) => name))
}

t.test("a domain's SQL names its own tables only", async (t) => {
  const tables = migratedTables()
  t.ok(tables.has('users') && tables.has('rate_limits'))
  const paths = globSync('{commands,lib,plugins,process,routes,services}/**/*.ts', { cwd: ROOT })
  const files = Object.fromEntries(paths.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]))
  t.strictSame(breaches(files, tables), [])
})

t.test('each breach is found', async (t) => {
  const tables = new Set(['users', 'tokens'])
  const good = {
    'services/users/queries.ts': 'INSERT INTO users (id) ... SELECT id FROM users WHERE',
    'services/tokens/queries.ts': '/** @reads users */ INSERT INTO tokens ... FROM tokens t JOIN users u ON',
  }
  t.strictSame(breaches(good, tables), [])
  const foreign = (text: string) => breaches({ ...good, 'services/other/a.ts': text }, tables)
  t.strictSame(foreign('text: `DELETE FROM users WHERE id = $1`'), ['services/other/a.ts writes users'])
  t.strictSame(foreign("new Expiry({ table: 'tokens' })"), ['services/other/a.ts writes tokens'])
  t.strictSame(foreign('UPDATE users SET role = $1'), ['services/other/a.ts writes users'])
  t.strictSame(foreign("'SELECT count(*) FROM users'"), ['services/other/a.ts reads users'])
  t.strictSame(foreign('FROM a JOIN tokens\n'), ['services/other/a.ts reads tokens'])
  t.strictSame(foreign('FROM a x, users u'), ['services/other/a.ts reads users'])
  t.strictSame(foreign('@reads tokens'), ['services/other/a.ts does not read tokens'])
  t.strictSame(foreign('INSERT INTO users AS u'), [
    'users is inserted into by services/users and services/other',
  ])
  t.strictSame(breaches({}, new Set(['users'])), ['users is inserted into by nothing'])
})
