import type { AttemptContext } from '../attempts/attempts.ts'
import type { MailLimit } from '../attempts/mail-limit.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { OneTimeTokenContext } from '../one-time-tokens/one-time-tokens.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { PasswordPolicyContext } from '../passwords/policy.ts'
import type { SessionContext } from '../sessions/sessions.ts'
import type { UserContext } from '../users/users.ts'

/** What the work on accounts needs. */
export interface AccountContext
  extends SessionContext,
    UserContext,
    AttemptContext,
    OneTimeTokenContext,
    PasswordPolicyContext {
  readonly passwords: Passwords
  readonly jobs: Jobs
  readonly mailLimit: MailLimit
}
