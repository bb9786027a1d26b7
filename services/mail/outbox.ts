import { because } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import type { Jobs } from '#lib/jobs/jobs.ts'
import { redactText } from '#lib/log/redaction.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type {
  ListMailsQuery,
  MailPage,
  MailPreview,
  MailRecord,
  MailTemplate,
  MailTemplatePage,
} from '#schemas/mails.ts'
import * as auditRecords from '#services/audit/records.ts'
import * as userRecords from '#services/users/records.ts'
import { type Actor, assertAdmin } from '#services/users/users.ts'
import { type MailContext, renderMessage } from './deliver.ts'
import { MailNotFound, MailNotResendable, MailTemplateNotFound } from './errors.ts'
import { sendMail } from './mail.ts'
import type { MailMessage } from './message.ts'
import * as queries from './queries.ts'
import { SAMPLES, sampleOf } from './samples.ts'

// What admins see of mails, and do with them. Links are never shown: the one who has it has the account.

const LIST = 'mails'
const TEMPLATES = 'mail templates'

/** The parts that this needs. */
export interface OutboxContext extends MailContext {
  readonly jobs: Jobs
  readonly cursors: Cursors
}

/**
 * Returns a page of the mails that were written, newest first.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function list(
  ctx: OutboxContext,
  actor: Actor,
  { limit, cursor, user_id, ...filter }: ListMailsQuery,
): Promise<MailPage> {
  assertAdmin(actor)
  const before = cursor === undefined ? undefined : ctx.cursors.decode(LIST, cursor)
  const owner = user_id === undefined ? undefined : await userRecords.find(ctx, user_id)
  const isNobodys = user_id !== undefined && owner === undefined
  const isContradiction = owner !== undefined && filter.to !== undefined && !isSame(owner.email, filter.to)
  if (isNobodys || isContradiction) return { data: [], next_cursor: null }
  const to = owner?.email ?? filter.to
  const rows = await queries.selectMails(ctx.db, { ...filter, to, before, limit: limit + 1 })
  const mails = rows.map((row) => present(row, ctx.now()))
  return ctx.cursors.page(LIST, mails, limit)
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

/**
 * Returns a mail and what became of it.
 *
 * @throws Forbidden, MailNotFound
 */
export async function get(ctx: OutboxContext, actor: Actor, id: string): Promise<MailRecord> {
  assertAdmin(actor)
  return present(await queries.selectMail(ctx.db, id), ctx.now())
}

/**
 * Sends a mail again, as a new one, in whose place the old one is never sent.
 *
 * @throws Forbidden, MailNotFound, MailNotResendable
 */
export async function resend(
  ctx: OutboxContext,
  actor: Actor,
  id: string,
  reason: string,
): Promise<MailRecord> {
  assertAdmin(actor)
  return transaction(because(ctx, reason), async (tx) => {
    const row = await queries.lockMail(tx.db, id)
    const { can_resend } = present(row, ctx.now())
    if (row === undefined || !can_resend) throw new MailNotResendable()
    await queries.updateMailReplaced(tx.db, id)
    const message: MailMessage = JSON.parse(row.message)
    const resent = await sendMail(tx, message, id)
    await auditRecords.record(tx, {
      action: 'operations.resendMail',
      target: { type: 'mail', id },
      details: { resent_as: resent, template: row.template },
    })
    return present(await queries.selectMail(tx.db, resent), ctx.now())
  })
}

function present(row: queries.MailRow | undefined, now: Date): MailRecord {
  if (row === undefined) throw new MailNotFound()
  const { message, ...mail } = row
  const { token }: { token?: { expires_at: string } } = JSON.parse(message)
  const hasEnded = token !== undefined && new Date(token.expires_at) <= now
  const error = mail.error === null ? null : redactText(mail.error)
  return { ...mail, error, can_resend: !hasEnded && mail.state !== 'replaced' }
}

/**
 * Returns a page of the kinds of mail, by name.
 *
 * @throws Forbidden, InvalidCursor
 */
export async function listTemplates(
  ctx: OutboxContext,
  actor: Actor,
  { limit, cursor }: { limit: number; cursor?: string },
): Promise<MailTemplatePage> {
  assertAdmin(actor)
  const after = cursor === undefined ? '' : ctx.cursors.decode(TEMPLATES, cursor)
  const templates = Object.values(SAMPLES)
    .filter(({ template }) => template > after)
    .toSorted((one, other) => (one.template < other.template ? -1 : 1))
    .map((sample): MailTemplate => ({ template: sample.template, subject: subjectOf(ctx, sample) }))
  return ctx.cursors.pageBy(TEMPLATES, templates, limit, ({ template }) => template)
}

function subjectOf(ctx: OutboxContext, message: MailMessage): string {
  return renderMessage(ctx.mail, message).subject
}

/**
 * Returns what a kind of mail looks like, with invented data.
 *
 * @throws Forbidden, MailTemplateNotFound
 */
export async function preview(ctx: OutboxContext, actor: Actor, template: string): Promise<MailPreview> {
  assertAdmin(actor)
  const sample = sampleOf(template)
  if (sample === undefined) throw new MailTemplateNotFound()
  return { template, ...renderMessage(ctx.mail, sample) }
}
