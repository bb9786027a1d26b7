import fp from 'fastify-plugin'
import { deriveKey } from '#lib/secrets/secrets.ts'
import type { AccountContext } from '#services/account/context.ts'
import type { OneTimeTokenContext } from '#services/one-time-tokens/one-time-tokens.ts'
import type { UserContext } from '#services/users/users.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends UserContext, OneTimeTokenContext, Pick<AccountContext, 'mailLimit'> {}
}

/** The settings of registrations, and of the links and mails of accounts. */
export default fp(
  async (app) => {
    const { auth, jwt } = app.config
    const { mail_limit, one_time_token } = auth
    app.addContext({
      registration: auth.registration,
      mailLimit: { perAccount: mail_limit.per_account, windowMs: mail_limit.window },
      oneTimeTokens: {
        key: deriveKey(jwt.secret, 'one-time tokens'),
        lifetimesMs: {
          verify_email: one_time_token.verify_lifetime,
          change_email: one_time_token.verify_lifetime,
          reset_password: one_time_token.reset_lifetime,
          choose_password: one_time_token.invitation_lifetime,
        },
      },
    })
  },
  { name: 'account', dependencies: ['context'] },
)
