import { transaction } from '#lib/database/database.ts'
import type { Login, TokenPair } from '#schemas/authentication.ts'
import type { Role, User } from '#schemas/users.ts'
import type { AccountContext } from '#services/account/context.ts'
import { TooManyAttempts } from '#services/authentication/errors.ts'
import { sendMail } from '#services/mail/mail.ts'
import { checkPassword } from '#services/passwords/passwords.ts'
import * as sessionRecords from '#services/sessions/records.ts'
import * as userRecords from '#services/users/records.ts'
import * as attempts from './attempts.ts'
import { InvalidCredentials } from './errors.ts'

/** Issues access tokens. */
export interface TokenIssuer {
  /** Returns a signed token for the user, bound to a session. */
  issue(user: Pick<User, 'id' | 'role'>, session: string): string
  /** Life of a token in seconds. */
  readonly lifetimeS: number
}

export interface AuthContext extends AccountContext {
  readonly tokens: TokenIssuer
  /** Is told how each login ended. */
  readonly loginFinished: (outcome: LoginOutcome) => void
}

export type LoginOutcome = 'success' | 'invalid_credentials' | 'too_many_attempts' | 'error'

/**
 * Signs a user in. A wrong password, an unknown email, an inactive account and one that never confirmed its
 * address cost the same and look the same (OWASP ASVS 5.0 V6.3.8).
 *
 * @param role the only role that may sign in here; any other looks like a wrong password, too
 * @throws InvalidCredentials, TooManyAttempts, PasswordQueueFull
 */
export async function login(ctx: AuthContext, input: Login, role?: Role): Promise<TokenPair> {
  try {
    // A password that changed while it was checked is checked again, as it is by now.
    const pair = (await signIn(ctx, input, role)) ?? (await signIn(ctx, input, role))
    if (!pair) throw new InvalidCredentials()
    ctx.loginFinished('success')
    return pair
  } catch (error) {
    ctx.loginFinished(outcomeOf(error))
    throw error
  }
}

/**
 * Exchanges a refresh token for the next pair of tokens.
 *
 * @throws InvalidRefreshToken
 */
export async function refresh(ctx: AuthContext, refreshToken: string): Promise<TokenPair> {
  const { user, ...session } = await sessionRecords.refresh(ctx, refreshToken)
  return tokenPair(ctx, user, session)
}

/** Returns undefined when the credentials changed during the check. */
async function signIn(
  ctx: AuthContext,
  input: Login,
  role: Role | undefined,
): Promise<TokenPair | undefined> {
  const { id, hash } = await checkCredentials(ctx, input, role)
  return openSession(ctx, id, hash, role)
}

/** Whose credentials they are, and the hash that the password belongs to. */
interface Owner {
  readonly id: string
  readonly hash: string
}

/** @throws InvalidCredentials, TooManyAttempts, PasswordQueueFull */
async function checkCredentials(ctx: AuthContext, input: Login, role: Role | undefined): Promise<Owner> {
  // First, because counting writes, which a flood of logins must not cause.
  using _place = ctx.passwords.enter()
  const attempt = await attempts.begin(ctx, { email: input.email })
  const owner = await findOwner(ctx, input, role).catch(attempt.undo)
  if (owner === undefined) throw new InvalidCredentials()
  await attempt.succeeded()
  return owner
}

/** Returns undefined for a wrong password, and for an account that may not sign in. */
async function findOwner(
  ctx: AuthContext,
  { email, password }: Login,
  role: Role | undefined,
): Promise<Owner | undefined> {
  const credentials = await userRecords.findCredentials(ctx, email)
  const hash = await checkPassword(ctx, credentials, password)
  if (hash === undefined || !credentials?.is_active) return undefined
  if (role !== undefined && credentials.role !== role) return undefined
  const { id, email_verified_at } = credentials
  if (ctx.registration === 'verify' && email_verified_at === null) return undefined
  return { id, hash: await renewHash(ctx, id, hash, password) }
}

/**
 * Hashes the password again if the parameters have changed since; returns the stored hash after that. It can wait for
 * the next login, so it never fails this one.
 */
async function renewHash(ctx: AuthContext, id: string, hash: string, password: string): Promise<string> {
  if (!ctx.passwords.isOutdated(hash)) return hash
  try {
    const renewed = await ctx.passwords.hash(password)
    return (await userRecords.replacePasswordHash(ctx, id, hash, renewed)) ? renewed : hash
  } catch (error) {
    ctx.log.warn({ err: error, user_id: id }, 'could not renew a password hash')
    return hash
  }
}

/**
 * Opens a session, and tells the user by mail when the device is new. Only while the password is the one that
 * was checked: a reset or a deactivation in between has ended all sessions, and this must not be one more.
 */
async function openSession(
  ctx: AuthContext,
  id: string,
  hash: string,
  role: Role | undefined,
): Promise<TokenPair | undefined> {
  const opened = await transaction(ctx, async (tx) => {
    const credentials = await userRecords.lockCredentials(tx, id)
    if (!credentials?.is_active || credentials.password_hash !== hash) return undefined
    if (role !== undefined && credentials.role !== role) return undefined
    const { password_hash: _, email_verified_at: __, ...user } = credentials
    // Sent together, and answered in this order: the device is not known by this very session.
    const [isNewDevice, session] = await Promise.all([
      sessionRecords.isNewDevice(tx, user),
      sessionRecords.open(tx, user),
    ])
    if (isNewDevice) {
      const { ip, userAgent } = tx.client
      const data = { user_agent: userAgent, ip, at: tx.now().toISOString() }
      await sendMail(tx, { template: 'new-sign-in', to: user.email, data })
    }
    return { user, session }
  })
  if (!opened) return undefined
  for (const ended of opened.session.ended) ctx.identities.forgetSession(ended)
  return tokenPair(ctx, opened.user, opened.session)
}

/** Returns the tokens of a session that was opened. */
export function tokenPair(ctx: AuthContext, user: User, session: sessionRecords.SessionTokens): TokenPair {
  return {
    access_token: ctx.tokens.issue(user, session.sessionId),
    token_type: 'Bearer',
    expires_in: ctx.tokens.lifetimeS,
    refresh_token: session.refreshToken,
    user,
  }
}

function outcomeOf(error: unknown): LoginOutcome {
  if (error instanceof InvalidCredentials) return 'invalid_credentials'
  return error instanceof TooManyAttempts ? 'too_many_attempts' : 'error'
}
