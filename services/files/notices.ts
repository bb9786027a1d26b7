import type { Context } from '#lib/context.ts'
import type { OrgDatabase } from '#lib/database/scoped-database.ts'
import type { Jobs } from '#lib/jobs/jobs.ts'
import { sendMail } from '#services/mail/mail.ts'
import * as memberRecords from '#services/members/records.ts'
import * as userRecords from '#services/users/records.ts'

interface Quarantined {
  readonly id: string
  /** The user or organization that it belongs to. */
  readonly space_id: string
  /** The person who made it; null for an API key. */
  readonly created_by: string | null
}

/**
 * Tells by mail that a file is in quarantine: the user whose it is; of an organization's file, who made it, if they are still
 * a member, and its administrators. Belongs in the transaction that puts it there.
 *
 * @param org the organization's view of the transaction's database; undefined for a user's file
 */
export async function tellOfQuarantine(
  tx: Context & { readonly jobs: Jobs },
  file: Quarantined,
  { reason, org }: { reason: 'infected' | 'held'; org: OrgDatabase | undefined },
): Promise<void> {
  const data = { file: file.id, at: tx.now().toISOString(), reason, shared: org !== undefined }
  const recipients =
    org === undefined ? await addressOf(tx, file.space_id) : await colleaguesOf(tx, file, org)
  for (const to of recipients) await sendMail(tx, { template: 'file-quarantined', to, data })
}

async function colleaguesOf(tx: Context, { created_by }: Quarantined, db: OrgDatabase): Promise<string[]> {
  const makers = created_by === null ? [] : await addressOf(tx, created_by)
  const members: string[] = []
  for (const email of makers) if (await memberRecords.hasAddress({ db }, email)) members.push(email)
  return [...new Set([...members, ...(await memberRecords.findAdministrators({ db }))])]
}

/** The address of an account that can be used; empty when the account is gone. */
async function addressOf(tx: Context, user: string): Promise<string[]> {
  const found = await userRecords.find(tx, user)
  return found?.is_active ? [found.email] : []
}
