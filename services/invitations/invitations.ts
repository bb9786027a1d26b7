import { v7 as uuidv7 } from 'uuid'
import { transaction } from '#lib/database/database.ts'
import { brokenConstraint } from '#lib/database/errors.ts'
import { digestToken } from '#lib/secrets/secrets.ts'
import type {
  CreateInvitation,
  Invitation,
  InvitationPage,
  ListInvitationsQuery,
} from '#schemas/invitations.ts'
import { mayInvite } from '#services/authentication/mail-limit.ts'
import { emitting } from '#services/events/emit.ts'
import { sendMail } from '#services/mail/mail.ts'
import type { MemberContext, OrgContext } from '#services/members/membership.ts'
import { isAtLeast } from '#services/members/permissions.ts'
import * as memberRecords from '#services/members/records.ts'
import * as organizationRecords from '#services/organizations/records.ts'
import { Forbidden } from '#services/users/errors.ts'
import type { InvitationContext } from './context.ts'
import { AlreadyInvited, AlreadyMember, InvitationNotFound, TooManyInvitations } from './errors.ts'
import { invitationCreated, invitationResent, invitationRevoked } from './events.ts'
import * as queries from './queries.ts'
import { tellFate, tellOfNew } from './telling.ts'
import { invitationToken } from './token.ts'

// What an organization's admins do with invitations. Nobody handles one of a role above their own.

/** Position in a list is that of one organization, so a cursor of another is refused. */
const listOf = (ctx: OrgContext) => `invitations:${ctx.db.org}`

/**
 * Invites an address: the mail is the same whether or not an account has it.
 *
 * @throws Forbidden, AlreadyMember, AlreadyInvited, TooManyInvitations
 */
export async function create(
  ctx: MemberContext<InvitationContext>,
  { email, role }: CreateInvitation,
): Promise<Invitation> {
  return transaction(ctx, async (tx) => {
    await memberRecords.lockAsActor(tx)
    assertMayHandle(tx, { role })
    if (await memberRecords.hasAddress(tx, email)) throw new AlreadyMember()
    await countMail(tx, email)
    const next = newToken(tx, uuidv7())
    const told = emitting(tx, invitationCreated, { subject: next.id, data: { role } })
    const row = { email, role, invited_by: tx.member.user, ...next }
    const invitation = await bySomeone(queries.insertInvitation(told, row))
    if (invitation === undefined) throw new AlreadyInvited()
    await mail(tx, invitation)
    await tellOfNew(tx, invitation)
    return invitation
  })
}

/**
 * Returns a page of the organization's invitations, newest first; expired ones until the cleanup deletes them.
 *
 * @throws InvalidCursor
 */
export async function list(
  ctx: OrgContext<InvitationContext>,
  { limit, cursor }: ListInvitationsQuery,
): Promise<InvitationPage> {
  const before = cursor === undefined ? null : ctx.cursors.decode(listOf(ctx), cursor)
  const invitations = await queries.selectInvitations(ctx.db, { before, limit: limit + 1 })
  return ctx.cursors.page(listOf(ctx), invitations, limit)
}

/**
 * Returns an invitation.
 *
 * @throws InvitationNotFound
 */
export async function get(ctx: OrgContext, id: string): Promise<Invitation> {
  return present(await queries.selectInvitation(ctx.db, id))
}

/**
 * Mails an invitation again, with another link and its whole time; the link before is void.
 *
 * @throws InvitationNotFound, Forbidden, TooManyInvitations
 */
export async function resend(ctx: MemberContext<InvitationContext>, id: string): Promise<Invitation> {
  return transaction(ctx, async (tx) => {
    await memberRecords.lockAsActor(tx)
    const row = { ...newToken(tx, id), invited_by: tx.member.user }
    const told = emitting(tx, invitationResent, { subject: id, data: {} })
    const invitation = present(await bySomeone(queries.updateInvitation(told, row)))
    assertMayHandle(tx, invitation)
    await countMail(tx, invitation.email)
    await mail(tx, invitation)
    await tellFate(tx, [invitation], 'resent')
    return invitation
  })
}

/**
 * Revokes an invitation.
 *
 * @throws InvitationNotFound, Forbidden
 */
export async function remove(ctx: MemberContext<InvitationContext>, id: string): Promise<void> {
  await transaction(ctx, async (tx) => {
    await memberRecords.lockAsActor(tx)
    const told = emitting(tx, invitationRevoked, { subject: id, data: {} })
    const invitation = present(await queries.deleteInvitation(told, id))
    assertMayHandle(tx, invitation)
    await tellFate(tx, [invitation], 'revoked')
  })
}

/** Makes what an invitation's link consists of, and what is stored of it. */
function newToken({ db, now, invitations, oneTimeTokens }: OrgContext<InvitationContext>, id: string) {
  const expires_at = new Date(now().getTime() + invitations.lifetimeMs).toISOString()
  const token = invitationToken(oneTimeTokens.key, { org: db.org, id, expires_at })
  return { id, expires_at, digest: digestToken(token) }
}

async function countMail(ctx: OrgContext<InvitationContext>, email: string): Promise<void> {
  const { mailsPerOrganization, mailsPerAddress } = ctx.invitations
  const wait = await mayInvite(
    ctx,
    { organization: ctx.db.org, email },
    { mailsPerOrganization, mailsPerAddress },
  )
  if (wait !== undefined) throw new TooManyInvitations({ retryAfter: wait })
}

async function mail(ctx: OrgContext<InvitationContext>, { id, email, role, expires_at }: Invitation) {
  const organization = await organizationRecords.getName(ctx)
  await sendMail(ctx, {
    template: 'organization-invitation',
    to: email,
    token: { org: ctx.db.org, id, expires_at },
    data: { organization, role },
  })
}

function assertMayHandle(ctx: MemberContext, { role }: Pick<Invitation, 'role'>): void {
  if (!isAtLeast(ctx.member.role, role)) throw new Forbidden()
}

/** An actor whose account is deleted meanwhile is not a member any more. */
async function bySomeone<T>(write: Promise<T>): Promise<T> {
  try {
    return await write
  } catch (error) {
    if (brokenConstraint(error) === 'organization_invitations_invited_by_fkey') {
      throw new Forbidden({ cause: error })
    }
    throw error
  }
}

function present(invitation: Invitation | undefined): Invitation {
  if (invitation === undefined) throw new InvitationNotFound()
  return invitation
}
