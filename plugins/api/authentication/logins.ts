import fp from 'fastify-plugin'
import { Counter } from 'prom-client'
import type { AttemptContext } from '#services/authentication/attempts.ts'
import type { AuthContext } from '#services/authentication/authentication.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends AttemptContext, Pick<AuthContext, 'loginFinished'> {}
}

/** The limits of login attempts, and their metric. */
export default fp(
  async (app) => {
    const { per_account, per_address, window } = app.config.auth.login_limit
    const logins = new Counter({
      name: 'logins_total',
      help: 'Logins by outcome.',
      labelNames: ['outcome'],
      registers: [app.metrics],
    })
    app.addContext({
      attemptLimits: { perAccount: per_account, perAddress: per_address, windowMs: window },
      loginFinished: (outcome) => logins.inc({ outcome }),
    })
  },
  { name: 'logins', dependencies: ['context', 'metrics'] },
)
