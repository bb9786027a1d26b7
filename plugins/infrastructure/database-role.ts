import fp from 'fastify-plugin'
import { LENIENT_ENVIRONMENTS } from '#config/schema/schema.ts'
import { SELECT_UNBOUND, UnboundRole } from '#lib/database/role.ts'
import { whenAvailable } from '#lib/database/when-available.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Asks whether row-level security binds the service's role.
     *
     * @throws UnboundRole outside development and tests, when it does not; DatabaseUnavailable
     */
    assertRoleBound(): Promise<void>
  }
}

/** Ends the start when the database's role is one that sees the rows of every organization. */
export default fp(
  async (app) => {
    const isLenient = LENIENT_ENVIRONMENTS.includes(app.config.environment)
    app.decorate('assertRoleBound', async () => {
      const statement = { name: 'checkDatabase', text: SELECT_UNBOUND, pipelined: true }
      const [role] = await app.db.query<{ unbound: boolean }>(statement)
      if (role?.unbound !== false && !isLenient) throw new UnboundRole()
    })
    if (isLenient) return
    const closing = new AbortController()
    app.addHook('onReady', () =>
      // Migrations say that the database is away.
      whenAvailable(app.assertRoleBound, {
        signal: closing.signal,
        connectionTimeoutMs: app.config.database.connection_timeout,
        away: () => undefined,
      }),
    )
    app.addHook('onClose', async () => closing.abort())
  },
  { name: 'database-role', dependencies: ['database'] },
)
