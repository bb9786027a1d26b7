import type { Database } from '#lib/database/database.ts'
import type { MailRecord } from '#schemas/mails.ts'

type State = MailRecord['state']

/** A mail as the table has it; `message` is JSON. */
export interface MailRow extends Omit<MailRecord, 'can_resend'> {
  message: string
}

const COLUMNS =
  'id, template, to_address AS "to", message, state, attempts, error, written_at, last_attempt_at, sent_at, resent_from'

export interface NewMail {
  readonly id: string
  readonly template: string
  readonly to: string
  readonly message: string
  readonly written_at: string
  readonly resent_from: string | null
}

export async function insertMail(db: Database, mail: NewMail): Promise<void> {
  await db.query({
    name: 'insertMail',
    text: `INSERT INTO mails (id, template, to_address, message, written_at, resent_from)
           VALUES ($1, $2, $3, $4, $5, $6)`,
    values: [mail.id, mail.template, mail.to, mail.message, mail.written_at, mail.resent_from],
  })
}

export async function selectMail(db: Database, id: string): Promise<MailRow | undefined> {
  const rows = await db.query<MailRow>({
    name: 'selectMail',
    text: `SELECT ${COLUMNS} FROM mails WHERE id = $1`,
    values: [id],
  })
  return rows[0]
}

/** Returns a mail, and locks it until the transaction ends. */
export async function lockMail(db: Database, id: string): Promise<MailRow | undefined> {
  const rows = await db.query<MailRow>({
    name: 'lockMail',
    text: `SELECT ${COLUMNS} FROM mails WHERE id = $1 FOR UPDATE`,
    values: [id],
  })
  return rows[0]
}

/** Notes how an attempt ended. */
export async function updateMailAttempt(
  db: Database,
  id: string,
  { state, error }: { state: State; error: string | null },
): Promise<void> {
  await db.query({
    name: 'updateMailAttempt',
    text: `UPDATE mails SET state = $2, error = $3, attempts = attempts + 1, last_attempt_at = now(),
             sent_at = CASE WHEN $2 = 'sent' THEN now() END
           WHERE id = $1`,
    values: [id, state, error],
  })
}

/** Has a mail that has not been sent never be. */
export async function updateMailReplaced(db: Database, id: string): Promise<void> {
  await db.query({
    name: 'updateMailReplaced',
    text: `UPDATE mails SET state = 'replaced' WHERE id = $1 AND state IN ('waiting', 'retrying', 'failed')`,
    values: [id],
  })
}

/** Deletes what was written to an address, but for what is still to be sent. */
export async function deleteMailsTo(db: Database, address: string): Promise<void> {
  await db.query({
    name: 'deleteMailsTo',
    text: `DELETE FROM mails WHERE case_fold(to_address) = case_fold($1) AND state NOT IN ('waiting', 'retrying')`,
    values: [address],
  })
}

export interface MailFilter {
  to?: string | undefined
  state?: State | undefined
  template?: string | undefined
  /** Only mails older than this id. */
  before?: string | undefined
  limit: number
}

/** Newest first. */
export function selectMails(db: Database, filter: MailFilter): Promise<MailRow[]> {
  const { to, state, template, before, limit } = filter
  const conditions: [column: string, sql: (parameter: string) => string, value: unknown][] = []
  if (to !== undefined) conditions.push(['to', (p) => `case_fold(to_address) = case_fold(${p})`, to])
  // The index of states leaves out the one that almost all mails have.
  const isRare = state !== undefined && state !== 'sent'
  if (isRare) conditions.push([state, (p) => `state = ${p} AND state <> 'sent'`, state])
  else if (state !== undefined) conditions.push([state, (p) => `state = ${p}`, state])
  if (template !== undefined) conditions.push(['template', (p) => `template = ${p}`, template])
  if (before !== undefined) conditions.push(['before', (p) => `id < ${p}`, before])

  const where = conditions.map(([, sql], index) => sql(`$${index + 2}`)).join(' AND ')
  return db.query<MailRow>({
    name: ['selectMails', ...conditions.map(([column]) => column)].join(':'),
    text: `SELECT ${COLUMNS} FROM mails ${where && `WHERE ${where}`} ORDER BY id DESC LIMIT $1`,
    values: [limit, ...conditions.map(([, , value]) => value)],
  })
}
