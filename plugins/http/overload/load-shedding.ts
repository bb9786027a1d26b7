import type { IncomingMessage, ServerResponse } from 'node:http'
import fp from 'fastify-plugin'
import { Admission, type Reason } from './admission.ts'
import { createRefusal } from './early-refusal.ts'
import { watchEventLoop } from './event-loop.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns why another request can't be served, or undefined if it can. For what does not come as a request. */
    overloadReason(): Reason | undefined
  }
}

/**
 * Refuses what comes on top of what can be served, before the framework does anything for it: at three times
 * the load, a refusal may cost a tenth of an answer at most, or the refusing takes the place of the serving
 * (docs/decisions/022). So a refused request is counted, and has no line of its own in the log. Probes are
 * always answered.
 */
export default fp(
  async (app) => {
    const { max_turn, max_waiting, retry_after } = app.config.pressure
    const { pool } = app.pg
    const admission = new Admission(
      { turn: max_turn, waiting: max_waiting },
      { waiting: () => pool.waitingCount, isBusy: watchEventLoop() },
    )
    app.decorate('overloadReason', () => admission.refusal())
    const refuse = createRefusal(Math.ceil(retry_after / 1000), app.readableBy)
    const probes = new Set<string>()
    app.addHook('onRoute', ({ config, url }) => {
      if (config?.probe) probes.add(url)
    })
    const isProbe = ({ url = '' }: IncomingMessage) => {
      const query = url.indexOf('?')
      return probes.has(query === -1 ? url : url.slice(0, query))
    }

    const { server, routing } = app
    server.off('request', routing)
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const reason = admission.refusal()
      if (reason === undefined || isProbe(request)) {
        routing(request, response)
        return
      }
      app.noteRefusal('admission', reason)
      refuse(request, response)
    })
  },
  { name: 'load-shedding', dependencies: ['connections', 'cors', 'database', 'refusals'] },
)
