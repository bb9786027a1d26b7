import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')

/** Files that open the rows of tenant tables, each with why it may. A new one is a decision, other than a job. */
const MAKERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  OrgDatabase: {
    'services/api-keys/caller.ts': 'for a key that was authenticated',
    'services/api-keys/callers.ts': 'reads the key under the organization that it names',
    'services/audit/audit.ts': 'for an admin of the service, who names the chain',
    'services/audit/records.ts': 'writes the entry of what an operator or a job did to an organization',
    'services/invitations/acceptance.ts': 'reads the invitation under the organization that its token names',
    'services/invitations/records.ts': 'tells of what an account had sent in each of its organizations',
    'services/files/scanning.ts': 'a job: whom of an organization to tell of its file',
    'services/members/membership.ts': 'for a member who was let in',
    'services/members/memberships.ts': 'reads the membership under the organization that the path names',
    'services/members/records.ts': 'for the creator of an organization, and for what an account owns',
    'services/uploads/jobs.ts': 'a job, for the organization of its upload',
    'services/webhooks/deliver.ts': 'a job, for the organization of its delivery',
    'services/webhooks/jobs.ts': 'jobs, for the organization of a webhook that was disabled or deleted',
  },
  UserDatabase: {
    'services/invitations/acceptance.ts': 'the invitations of the one who asks',
    'services/members/membership.ts': 'what belongs to the one who asks, in no organization',
    'services/members/records.ts': 'what an account owns',
    'services/organizations/organizations.ts': 'the organizations of the one who asks',
    'services/uploads/jobs.ts': 'a job: completes the upload of a user, in whose space it is',
  },
  SystemDatabase: {
    'commands/encryption.ts': 'a command of the operator',
    'commands/files.ts': 'a command of the operator: compares all contents with the store',
    'lib/cleanup/expired-rows.ts': 'a job',
    'services/api-keys/last-uses.ts': 'writes the uses of many keys at once',
    'services/audit/audit.ts':
      'the leaves of a checkpoint, of which the caller gets hashes; for admins of the service, what one of them did',
    'services/audit/checkpoints.ts': 'a job: the heads of all chains are signed together',
    'services/audit/copies.ts': 'a job: the notes of checkpoints whose copy is missing',
    'services/audit/cuts.ts': 'a command of the operator',
    'services/audit/notes.ts': 'the signed notes of checkpoints, which no organization owns',
    'services/audit/records.ts': 'erases the personal data of an account in all chains',
    'services/audit/sealer.ts': 'a job: seals the entries of all organizations',
    'services/audit/status.ts': 'ages and counts for metrics',
    'services/audit/verification/seal-reader.ts': 'verifies all chains',
    'services/audit/verification/verify.ts': 'verifies all chains',
    'services/events/oldest-age.ts': 'the age of the oldest event that waits',
    'services/events/relay.ts': 'passes events on, of all organizations',
    'services/events/republish.ts': 'a command of the operator: passes events on again',
    'services/files/quarantine.ts': 'for admins of the service, who see what is in quarantine',
    'services/files/scanning.ts': 'for jobs: keeps what was found in the file that was scanned',
    'services/storage/limits.ts': 'for admins of the service: whether there is such a user or organization',
    'services/files/links.ts': 'finds the file of a signed link, whose signature is checked first',
    'services/api-keys/callers.ts': 'asks for keys of many organizations at once, each by its name',
    'services/api-keys/listeners.ts': 'the keys of an organization that nobody may enter any more',
    'services/invitations/records.ts': 'withdraws what an account has sent that is about to be deleted',
    'services/members/listeners.ts': 'the members of an organization that nobody may enter any more',
    'services/members/memberships.ts': 'asks for members of many organizations at once, each by its name',
    'services/realtime/store.ts':
      'reads the messages of all channels, which are told to those who may hear them',
    'services/organizations/administration.ts': 'counts rows for admins of the service, and returns none',
    'services/webhooks/administration.ts':
      'for admins of the service, who see which host does not answer, and neither its URL nor a message',
  },
}

const JOBS = /^services\/[^/]+\/jobs\.ts$/

/** Files that set a setting of a connection in SQL, each with why it may. */
const SETTERS: Readonly<Record<string, string>> = {
  'commands/doctor/checks/files.ts': 'looks for contents of all files, in its own transaction',
  'lib/backup/backup.ts': 'counts all rows, in its own transaction',
  'lib/backup/postgres-tools.ts': 'for pg_dump, which is another process',
  'lib/database/scope.ts': 'the scope of a statement, until its transaction ends',
  'lib/database/session-database.ts': 'for a command that has the connection to itself',
  'lib/database/session.ts': 'once for a connection, before it is used; nothing of a scope',
  'lib/migrations/run-migration.ts': 'for the transaction of a migration',
  'services/audit/queries.ts':
    'lets the sealer empty its intake, and the operator cut the log; nothing of a scope',
  'services/audit/verification/queries.ts': 'how a transaction joins; nothing of a scope',
  'services/storage/queries.ts': 'that a transaction need not wait for the disk; nothing of a scope',
}

async function filesWith(pattern: RegExp): Promise<string[]> {
  const files = globSync('{commands,lib,plugins,process,routes,services}/**/*.ts', { cwd: ROOT })
  const found: string[] = []
  for (const file of files) {
    if (pattern.test(await readFile(join(ROOT, file), 'utf8'))) found.push(file)
  }
  return found.sort()
}

t.test('whose rows are open is decided in few places', async (t) => {
  for (const [name, files] of Object.entries(MAKERS)) {
    // A class makes others of its kind for its transactions.
    const found = (await filesWith(new RegExp(`new ${name}\\(`))).filter(
      (file) => file !== 'lib/database/scoped-database.ts' && !(name === 'SystemDatabase' && JOBS.test(file)),
    )
    t.strictSame(found, Object.keys(files).sort(), name)
  }
  const setters = await filesWith(/set_config\('|\bSET (?:LOCAL |SESSION )?app\.|-c app\./)
  t.strictSame(setters, Object.keys(SETTERS).sort())
})
