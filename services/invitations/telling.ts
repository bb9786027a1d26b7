import type { Jobs } from '#lib/jobs/jobs.ts'
import type { Invitation } from '#schemas/invitations.ts'
import type { OrgContext } from '#services/members/membership.ts'
import { type Fate, tellInvitedJob } from './jobs.ts'
import type { GoneInvitation } from './queries.ts'

// Whom an invitation is for hears of it on their own channel, soon after the transaction has committed.

type TellingContext = Pick<OrgContext, 'db'> & { readonly jobs: Jobs }

/** Tells of a new invitation. */
export async function tellOfNew(
  { db, jobs }: TellingContext,
  { id, email, role }: Pick<Invitation, 'id' | 'email' | 'role'>,
): Promise<void> {
  await jobs.enqueue(db, tellInvitedJob, { org: db.org, id, email, role })
}

/** Tells what became of invitations. */
export async function tellFate(
  { db, jobs }: TellingContext,
  invitations: readonly GoneInvitation[],
  fate: Fate,
): Promise<void> {
  const entries = invitations.map(({ id, email }) => ({ data: { org: db.org, id, email, fate } }))
  if (entries.length > 0) await jobs.enqueueAll(db, tellInvitedJob, entries)
}
