import { createHash } from 'node:crypto'
import { chmod, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { DirectoryStore } from '#lib/backup/directory-store.ts'
import type { StoredContent } from '#lib/backup/inventory.ts'
import { LocalStore } from '#lib/object-store/local-store.ts'
import { connectionTo } from '#test/support/connection-to.ts'
import type { TestDatabase } from '#test/support/database.ts'

/** In place of PostgreSQL's programs: they write down how they were called. What they do, test/commands/backup/ tries. */
export const PROGRAM = `#!/bin/sh
name=$(basename "$0"); folder=$(dirname "$0")
[ "$1" = --version ] && echo "$name (PostgreSQL) 99.1" && exit
printf '%s\\n' "$@" > "$folder/$name.args"; env > "$folder/$name.env"
[ -e "$folder/$name.fails" ] && echo half && echo broke >&2 && exit 3
if [ "$name" = psql ]; then cat > "$folder/sql"; else cat "$folder/$name.out"; fi
`
export const DUMP = 'what pg_dump writes'
export const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

async function programs(t: Test): Promise<string> {
  const names = ['pg_dump', 'pg_restore', 'psql']
  const folder = t.testdir({
    ...Object.fromEntries(names.map((name) => [name, PROGRAM])),
    'pg_dump.out': DUMP,
    'pg_restore.out': 'SET transaction_timeout = 0;\nSELECT 1;\n',
  })
  for (const name of names) await chmod(join(folder, name), 0o755)
  const { PATH } = process.env
  process.env['PATH'] = `${folder}:${PATH}`
  t.teardown(() => {
    process.env['PATH'] = PATH
  })
  return folder
}

/** Limits that would end each statement at once, if a backup did not do without. */
const HURRIED = {
  query_timeout: 1,
  statement_timeout: 1,
  lock_timeout: 1,
  idle_in_transaction_session_timeout: 1,
}

export const NONE = async function* () {}

/** Options of a backup of a database, in a folder of the test's. */
export async function rig(t: Test, db: TestDatabase) {
  const folder = await programs(t)
  const place = join(folder, 'backups')
  const said: string[] = []
  const options = {
    connection: connectionTo(db.url, HURRIED),
    tls: { tls: 'off' as const },
    store: new DirectoryStore(place),
    contents: new LocalStore(join(place, 'files')),
    inventory: NONE as () => AsyncGenerator<StoredContent>,
    serviceVersion: '1.2.3',
    log: (line: string) => said.push(line),
  }
  const names = async () => (await readdir(place)).filter((name) => name !== 'files').sort()
  return { folder, place, said, options, names, name: new URL(db.url).pathname.slice(1) }
}

/** Makes an organization, whose rows are seen by those alone who may see all. */
export async function addOrganization(db: TestDatabase): Promise<void> {
  await db.query(
    "INSERT INTO organizations (id, name, slug) VALUES (gen_random_uuid(), 'One', gen_random_uuid())",
  )
}
