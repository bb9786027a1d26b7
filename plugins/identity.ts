import fp from 'fastify-plugin'
import { IdentityChannel } from '../services/identity/channel.ts'
import { Identities } from '../services/identity/identities.ts'
import * as sessions from '../services/sessions/sessions.ts'
import { connectionOptions } from './database.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Who may pass, by session. */
    identities: Identities
  }
}

/** Keeps in memory who may pass, and hears from the database when that changes. */
export default fp(
  async (app) => {
    const identities: Identities = new Identities(
      async (sessionId) => {
        const owner = await sessions.findOwner(app, sessionId)
        if (!owner) return undefined
        const { session_remaining: remaining, ...user } = owner
        return { user, remaining }
      },
      () => channel.isTrusted(),
    )
    const channel: IdentityChannel = new IdentityChannel(
      await connectionOptions(app.config.database),
      identities,
      app.log,
    )
    app.decorate('identities', identities)
    app.addHook('onReady', async () => channel.start())
    app.addHook('onClose', () => channel.close())
  },
  { name: 'identity', dependencies: ['database'] },
)
