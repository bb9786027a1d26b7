import { FormatRegistry } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { findEventTypes } from '#services/events/find-event-types.ts'
import { ALL_ENTRIES } from '#test/support/audit.ts'
import type { TestDatabase } from '#test/support/database.ts'

// TypeBox knows no format by itself.
FormatRegistry.Set('uuid', (text) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text))

const JOBS = 'jobs are how the service works, and not what it works on; the audit log has it'

/** Operations that emit no event, and why. */
export const SILENT: Readonly<Record<string, string>> = {
  recoverWebhookDeliveries: 'messages are sent again, which are about events',
  retryWebhookDelivery: 'as above',
  testWebhook: 'the message is about nothing',
  changeLogLevels: 'an instance of the service changes, and nothing of its data; the audit log has it',
  pauseQueue: JOBS,
  resumeQueue: JOBS,
  runScheduleNow: JOBS,
  createJobAction: JOBS,
  resendMail: 'a mail changes nothing',
  sendUserPasswordReset: 'a mail changes nothing',
  'createJobAction: by and by': JOBS,
  stopJobAction: JOBS,
  refreshTokens: 'the session stays what it was',
  updateStorageLimit: 'a setting of the operator; the audit log has it',
  'createUser (verify)': 'there is no account before the address is confirmed',
  'the mail of a lost password': 'a mail changes nothing',
  'the mail of another address': 'a mail changes nothing',
  'the mail of another link': 'a mail changes nothing',
  'the mail of another link to a registration': 'a mail changes nothing',
}

/** The entry of the audit log that was seen last; ids are made by one process, in order. */
const lastEntries = new WeakMap<TestDatabase, string>()

/** Takes what waits in the outbox, and returns what is wrong with it: nothing, an unknown type, or data not as declared. */
export async function takeEmitted(db: TestDatabase): Promise<{ events: number; problems: string[] }> {
  const types = new Map((await findEventTypes()).map((type) => [type.type, type]))
  const rows = await db.query<Record<string, string | number | null>>('DELETE FROM events RETURNING *')
  const entries = await db.query<{ id: string; action: string }>(
    `SELECT id, action FROM ${ALL_ENTRIES} e
     WHERE outcome = 'succeeded' AND action NOT LIKE 'operations.%' AND id > $1 ORDER BY id`,
    [lastEntries.get(db) ?? '00000000-0000-0000-0000-000000000000'],
  )
  const last = entries.at(-1)
  if (last !== undefined) lastEntries.set(db, last.id)
  const problems = rows.flatMap((row) => {
    const known = types.get(String(row['type']))
    if (known === undefined) return [`${row['type']} is not declared`]
    // What one person is told may be an organization's kind of event, of a file of their own.
    const isPlatform = row['told_to'] === null ? row['org_id'] === null : known.of === 'platform'
    const isTaken = row['broker_at'] !== null && row['fanned_out_at'] !== null
    const isRight =
      isTaken === (row['told_to'] !== null) &&
      row['version'] === known.version &&
      row['subject_type'] === known.subject &&
      isPlatform === (known.of === 'platform') &&
      Value.Check(known.data, JSON.parse(String(row['data'])))
    return isRight ? [] : [`not as declared: ${JSON.stringify(row)}`]
  })
  // The audit log tells the same, once, but for what one person is told; entries with the name of an operation have no event.
  const told = rows
    .flatMap(({ id, type, told_to: person }) => (person === null ? [`${id} ${type}`] : []))
    .sort()
  const audited = entries.map(({ id, action }) => `${id} ${action}`).sort()
  if (told.join() !== audited.join())
    problems.push(`the audit log has ${audited.join()} in place of ${told.join()}`)
  return { events: rows.length, problems }
}
