import fp from 'fastify-plugin'
import { Cursors } from '#lib/pagination/cursors.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext {
    readonly cursors: Cursors
  }
}

/** The cursors of lists, which only this service can make. */
export default fp(
  async (app) => {
    app.addContext({ cursors: new Cursors(app.config.jwt.secret) })
  },
  { name: 'pagination', dependencies: ['context'] },
)
