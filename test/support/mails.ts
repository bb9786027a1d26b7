import type { FastifyInstance } from 'fastify'
import type { KeptMail } from '#services/mail/mailbox.ts'
import type { TestDatabase } from './database.ts'
import { eventually } from './eventually.ts'

/** Mails that a test has been given. */
const seen = new Set<string>()

/** Waits for the next mail to an address (with this subject, if given), the oldest first; each is given once. */
export async function nextMail(app: FastifyInstance, to: string, subject?: string): Promise<KeptMail> {
  const found: KeptMail[] = []
  await eventually(async () => {
    const mails = await mailsTo(app, to)
    found.push(...mails.filter((mail) => !seen.has(mail.id) && (subject ?? mail.subject) === mail.subject))
    return found.length > 0
  })
  const [mail] = found
  if (mail === undefined) throw new Error('no mail came')
  seen.add(mail.id)
  return mail
}

/** Returns all mails to an address, oldest first, once every job is done. */
export async function allMails(app: FastifyInstance, db: TestDatabase, to: string): Promise<KeptMail[]> {
  await jobsDone(db)
  return mailsTo(app, to)
}

/** Waits until nothing is left to be worked on. */
export async function jobsDone(db: TestDatabase): Promise<void> {
  await eventually(async () => {
    const left = await db.query(
      "SELECT id FROM pgboss.job WHERE state < 'completed' AND name NOT LIKE '\\_\\_pgboss%'",
    )
    return left.length === 0
  })
}

/** The token in a mail's link. */
export function tokenIn(mail: KeptMail): string {
  const token = /#token=([\w-]{43})(?![\w-])/.exec(mail.text)?.[1]
  if (token === undefined) throw new Error(`there is no link in "${mail.subject}"`)
  return token
}

async function mailsTo({ mailbox }: FastifyInstance, to: string): Promise<KeptMail[]> {
  if (mailbox === undefined) throw new Error('this application keeps no mail')
  return (await mailbox.list({ to })).reverse()
}
