import type { Database } from '#lib/database/database.ts'
import { onlyRow } from '#lib/database/only-row.ts'

/** Topics of mails that others can ask for: a lost password, whose an address is, or an organization. */
export type MailTopic = 'recovery' | 'address' | 'invitation'

/** Subjects of counts of mails: those to an email, or those that an organization sends. */
export type MailSubject = { mail: string; topic: MailTopic } | { organization: string }

/** Whose password is guessed: that of the account that an email names, whether or not there is one, or of a session's user. */
export type Guessed = { email: string } | { session: string }

/** Subjects of counts. */
export type Subject = Guessed | { network: string } | MailSubject

/** Emails are hashed, so that the table does not list what people typed. */
const HASHED_EMAIL = `encode(sha256(convert_to(case_fold($1), 'UTF8')), 'hex')`

function expression(subject: Subject): { sql: string; kind: string; value: string } {
  if ('network' in subject) return { sql: `'network:' || $1`, kind: 'network', value: subject.network }
  if ('organization' in subject) {
    return { sql: `'organization:' || $1`, kind: 'organization', value: subject.organization }
  }
  if ('mail' in subject) {
    const kind = `mail:${subject.topic}`
    return { sql: `'${kind}:' || ${HASHED_EMAIL}`, kind, value: subject.mail }
  }
  if ('session' in subject) return { sql: `'session:' || $1`, kind: 'session', value: subject.session }
  return { sql: `'account:' || ${HASHED_EMAIL}`, kind: 'account', value: subject.email }
}

/** When the count that begins with this attempt ends; `$3` is the window in milliseconds. */
const END = `clock_timestamp() + $3 * interval '1 millisecond'`

/**
 * Returns a statement that counts one attempt for the row of `source`, unless there were `limit` already; any
 * number at once are counted exactly. It returns no row for one that is not counted.
 */
function counting(source: string, limit: string): string {
  return `INSERT INTO login_attempts AS a (subject, failures, expires_at) ${source}
          ON CONFLICT (subject) DO UPDATE
          SET failures = CASE WHEN a.expires_at <= clock_timestamp() THEN 1 ELSE a.failures + 1 END,
              expires_at = CASE WHEN a.expires_at <= clock_timestamp() THEN excluded.expires_at ELSE a.expires_at END
          WHERE a.expires_at <= clock_timestamp() OR a.failures < ${limit}
          RETURNING failures`
}

/**
 * Counts one mail unless there were `limit` already. Returns false for one that is not counted.
 *
 * @param windowMs from the first mail until the count starts again
 */
export async function countMail(
  db: Database,
  subject: MailSubject,
  { windowMs, limit }: { windowMs: number; limit: number },
): Promise<boolean> {
  const { sql, kind, value } = expression(subject)
  const rows = await db.query({
    name: `countMail:${kind}`,
    text: counting(`VALUES (${sql}, 1, ${END})`, '$2'),
    values: [value, limit, windowMs],
  })
  return rows.length > 0
}

/** Result of an attempt: counted for both, or refused for the network or, with that counted, for whose password it is. */
export type Counted = 'both' | 'not network' | 'not guessed'

/** Counts that an attempt is part of. */
export interface AttemptSubjects {
  readonly guessed: Guessed
  readonly network: string
}

/**
 * Counts one attempt for a network and, unless that is beyond its limit, for whose password is guessed.
 *
 * @param windowMs from the first attempt until the count starts again
 */
export async function countAttempts(
  db: Database,
  { guessed, network }: AttemptSubjects,
  { windowMs, perAccount, perAddress }: { windowMs: number; perAccount: number; perAddress: number },
): Promise<Counted> {
  const [whose, place] = [expression(guessed), expression({ network })]
  const rows = await db.query<{ network: boolean; guessed: boolean }>({
    name: `countAttempts:${whose.kind}`,
    text: `WITH network AS (${counting(`VALUES (${place.sql.replace('$1', '$2')}, 1, ${END})`, '$4')}),
             guessed AS (${counting(`SELECT ${whose.sql}, 1, ${END} FROM network`, '$5')})
           SELECT EXISTS (SELECT FROM network) AS network, EXISTS (SELECT FROM guessed) AS guessed`,
    values: [whose.value, network, windowMs, perAddress, perAccount],
  })
  const counted = onlyRow(rows)
  if (!counted.network) return 'not network'
  return counted.guessed ? 'both' : 'not guessed'
}

/** Returns the seconds until the count starts again. */
export async function selectRemaining(db: Database, subject: Subject): Promise<number> {
  const { sql, kind, value } = expression(subject)
  const rows = await db.query<{ remaining: number }>({
    name: `selectRemaining:${kind}`,
    text: `SELECT ceil(extract(epoch FROM expires_at - clock_timestamp()))::integer AS remaining
           FROM login_attempts WHERE subject = ${sql}`,
    values: [value],
  })
  return rows[0]?.remaining ?? 0
}

/** Takes one attempt back. */
export async function uncountAttempt(db: Database, subject: Subject): Promise<void> {
  const { sql, kind, value } = expression(subject)
  await db.query({
    name: `uncountAttempt:${kind}`,
    text: `UPDATE login_attempts SET failures = greatest(failures - 1, 0) WHERE subject = ${sql}`,
    values: [value],
  })
}

/** After a right password: forgets the attempts at it, and takes one back from the network. */
export async function settleAttempts(db: Database, { guessed, network }: AttemptSubjects): Promise<void> {
  const [whose, place] = [expression(guessed), expression({ network })]
  await db.query({
    name: `settleAttempts:${whose.kind}`,
    // The network's row is locked first by everybody.
    text: `WITH settled AS (
             UPDATE login_attempts SET failures = greatest(failures - 1, 0)
             WHERE subject = ${place.sql.replace('$1', '$2')} RETURNING subject)
           DELETE FROM login_attempts
           WHERE subject = ${whose.sql} AND (SELECT count(*) FROM settled) >= 0`,
    values: [whose.value, network],
  })
}

export async function clearAttempts(db: Database, subject: Subject): Promise<void> {
  const { sql, kind, value } = expression(subject)
  await db.query({
    name: `clearAttempts:${kind}`,
    text: `DELETE FROM login_attempts WHERE subject = ${sql}`,
    values: [value],
  })
}
