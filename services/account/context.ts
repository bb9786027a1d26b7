import type { Jobs } from '#lib/jobs/jobs.ts'
import type { AttemptContext } from '#services/authentication/attempts.ts'
import type { MailLimit } from '#services/authentication/mail-limit.ts'
import type { OneTimeTokenContext } from '#services/one-time-tokens/one-time-tokens.ts'
import type { Passwords } from '#services/passwords/passwords.ts'
import type { PasswordPolicyContext } from '#services/passwords/policy.ts'
import type { SessionContext } from '#services/sessions/sessions.ts'
import type { UserContext } from '#services/users/users.ts'

/** The parts that the work on accounts needs. */
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
