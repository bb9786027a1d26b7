import { transaction } from '#lib/database/database.ts'
import { OrgDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import { digestToken } from '#lib/secrets/secrets.ts'
import type {
  AcceptedInvitation,
  AcceptInvitation,
  InspectedInvitation,
  ListInvitationsQuery,
  ReceivedInvitationPage,
} from '#schemas/invitations.ts'
import { passwordReset } from '#services/account/events.ts'
import { replacePassword } from '#services/account/records.ts'
import { emit } from '#services/events/emit.ts'
import * as memberRecords from '#services/members/records.ts'
import { assertAcceptable } from '#services/passwords/policy.ts'
import * as registrationRecords from '#services/registration/records.ts'
import * as userRecords from '#services/users/records.ts'
import type { Actor } from '#services/users/users.ts'
import type { InvitationContext } from './context.ts'
import { AccountNeeded, InvitationNotFound } from './errors.ts'
import { invitationDeclined } from './events.ts'
import * as queries from './queries.ts'
import { tellFate } from './telling.ts'
import { invitationToken, organizationOf } from './token.ts'

/*
 * What the invited do. An invitation is for the account that has its address, also while somebody else is signed in. Who
 * has the token has received a mail to the address, which proves that it is theirs. An account that never confirmed the
 * address may be somebody else's, so it gets a new password, as by a reset (decision 058).
 */

/** Work in the organization that a token names: it sees its rows, and does nothing without the token. */
type ClaimedContext = InvitationContext & { readonly db: OrgDatabase }

type Account = Awaited<ReturnType<typeof userRecords.findByEmail>>

const listOf = (actor: Pick<Actor, 'id'>) => `received invitations:${actor.id}`

/**
 * Returns a page of the invitations to the actor's confirmed address, newest first.
 *
 * @throws InvalidCursor
 */
export async function listReceived(
  ctx: InvitationContext,
  actor: { id: string; email: string },
  { limit, cursor }: ListInvitationsQuery,
): Promise<ReceivedInvitationPage> {
  const before = cursor === undefined ? null : ctx.cursors.decode(listOf(actor), cursor)
  const db = new UserDatabase(ctx.db, actor.id)
  const received = { email: actor.email, before, limit: limit + 1 }
  const { data, next_cursor } = ctx.cursors.page(
    listOf(actor),
    await queries.selectReceivedInvitations(db, received),
    limit,
  )
  const { key } = ctx.oneTimeTokens
  const withToken = data.map((invitation) => ({
    ...invitation,
    token: invitationToken(key, { ...invitation, org: invitation.organization_id }),
  }))
  return { data: withToken, next_cursor }
}

/**
 * Tells what an invitation is for, and what accepting it needs.
 *
 * @throws InvitationNotFound
 */
export async function inspect(ctx: InvitationContext, token: string): Promise<InspectedInvitation> {
  const { db } = claimed(ctx, token)
  const invitation = await find(db, token)
  const needs = needsOf(await userRecords.findByEmail(ctx, invitation.email))
  return { ...invitation, organization_id: db.org, needs }
}

/** An invitation that is to be accepted, with what the account needs for it: the password is checked and hashed. */
export interface Acceptance {
  readonly token: string
  readonly invitation: queries.OpenInvitation
  readonly account: Account
  readonly choice: Choice | undefined
}

/**
 * Prepares the acceptance of an invitation; what takes its time is done here, outside of a transaction.
 *
 * @throws InvitationNotFound, AccountNeeded, PasswordQueueFull and what the policy refuses
 */
export async function prepare(
  outer: InvitationContext,
  { token, ...chosen }: AcceptInvitation,
): Promise<Acceptance> {
  const ctx = claimed(outer, token)
  const invitation = await find(ctx.db, token)
  const { email } = invitation
  const account = await userRecords.findByEmail(ctx, email)
  const choice = await choose(ctx, { email, account, ...chosen })
  return { token, invitation, account, choice }
}

/**
 * Makes the account that has the invitation's address a member; creates the account if the address has no account yet.
 *
 * @throws InvitationNotFound; AccountNeeded, MemberLimitReached, EmailTaken, UsernameTaken, which leave it usable
 */
export async function accept(
  outer: InvitationContext,
  { token, invitation, account, choice }: Acceptance,
): Promise<AcceptedInvitation> {
  const ctx = claimed(outer, token)
  const { email, role: invitedAs, organization_name } = invitation
  const { user_id, role } = await transaction(ctx, async (tx) => {
    const id = account ? await settle(tx, account, choice) : await register(tx, email, choice)
    await memberRecords.lock(tx)
    if (!(await queries.takeInvitation(tx.db, digestToken(token)))) throw new InvitationNotFound()
    const role = await memberRecords.admit(tx, id, invitedAs, ctx.invitations.maxMembers)
    return { user_id: id, role }
  })
  ctx.identities.forgetUser(user_id)
  return { organization_id: ctx.db.org, organization_name, role, user_id }
}

/**
 * Refuses an invitation, which is then gone.
 *
 * @throws InvitationNotFound
 */
export async function decline(ctx: InvitationContext, token: string): Promise<void> {
  await transaction(claimed(ctx, token), async (tx) => {
    const invitation = await queries.takeInvitation(tx.db, digestToken(token))
    if (invitation === undefined) throw new InvitationNotFound()
    await emit(tx, invitationDeclined, { subject: invitation.id, data: {} })
    await tellFate(tx, [invitation], 'declined')
  })
}

function claimed(ctx: InvitationContext, token: string): ClaimedContext {
  const org = organizationOf(token)
  if (org === undefined) throw new InvitationNotFound()
  return { ...ctx, db: new OrgDatabase(ctx.db, org) }
}

async function find(db: OrgDatabase, token: string): Promise<queries.OpenInvitation> {
  const invitation = await queries.selectOpenInvitation(db, digestToken(token))
  if (invitation === undefined) throw new InvitationNotFound()
  return invitation
}

function needsOf(account: Account): InspectedInvitation['needs'] {
  if (account === undefined) return 'account'
  if (!account.is_active) throw new InvitationNotFound()
  return account.email_verified_at === null ? 'password' : 'nothing'
}

/** A name and a password that somebody chose on the way; the password is checked and hashed. */
interface Choice {
  readonly username: string
  readonly password_hash: string
}

/** Hashing takes its time, so it comes before the transaction. */
async function choose(
  ctx: InvitationContext,
  { email, account, ...chosen }: { email: string; account: Account } & Omit<AcceptInvitation, 'token'>,
): Promise<Choice | undefined> {
  if (needsOf(account) === 'nothing') return undefined
  const username = account?.username ?? chosen.username
  const { password } = chosen
  if (username === undefined || password === undefined) throw new AccountNeeded()
  await assertAcceptable(ctx, password, { email, username })
  return { username, password_hash: await ctx.passwords.hash(password) }
}

/** Confirms the address of an account, as it is now. */
async function settle(
  ctx: ClaimedContext,
  { id, email }: NonNullable<Account>,
  choice: Choice | undefined,
): Promise<string> {
  const owner = await userRecords.lockCredentials(ctx, id)
  // Deactivated, deleted, or of another address meanwhile.
  if (!owner?.is_active || owner.email !== email) throw new InvitationNotFound()
  if (owner.email_verified_at !== null) return id
  if (choice === undefined) throw new AccountNeeded()
  await userRecords.markVerified(ctx, id)
  await replacePassword(ctx, owner, choice.password_hash, passwordReset)
  return id
}

async function register(ctx: ClaimedContext, email: string, choice: Choice | undefined): Promise<string> {
  if (choice === undefined) throw new AccountNeeded()
  const { id } = await registrationRecords.createConfirmed(ctx, { email, ...choice })
  return id
}
