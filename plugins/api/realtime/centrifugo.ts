import { timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import { Gauge } from 'prom-client'
import { warnOfTrouble } from '#lib/log/troubles.ts'
import { LOCAL_ADDRESS } from '#lib/network/addresses.ts'
import { digestToken } from '#lib/secrets/secrets.ts'
import { pause } from '#lib/waiting/repeat.ts'
import type { AppContext } from '#plugins/infrastructure/context.ts'
import { Unauthenticated } from '#services/authentication/errors.ts'
import { CentrifugoApi, reconnecting } from '#services/realtime/centrifugo/api.ts'
import { CentrifugoProxy, type ConnectionMeta } from '#services/realtime/centrifugo/proxy.ts'
import type { ChannelList } from '#services/realtime/channel-list.ts'
import type { Listener } from '#services/realtime/define-channel.ts'
import type { Doorman } from '#services/realtime/doorman.ts'
import { createDoorman } from './callers.ts'
import { freshContext } from './contexts.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers a Centrifugo cluster's questions about its clients; undefined without a cluster. */
    readonly centrifugo: CentrifugoProxy<AppContext> | undefined
    /** Lets only the cluster in. */
    readonly centrifugoOnly: onRequestHookHandler
  }
  interface FastifyRequest {
    /** Lets in the client of a cluster that a request is about, from where that is. */
    asDoorman(): Doorman
  }
}

const SECRET_HEADER = 'x-centrifugo-secret'
/** Milliseconds between signs of life that are asked for. */
const CHECK_INTERVAL_MS = 5000

/** Has a Centrifugo cluster tell what happens; returns undefined where this service does it, or nobody. */
export function useCentrifugo(
  app: FastifyInstance,
  channels: ChannelList<AppContext>,
): CentrifugoApi | undefined {
  const { engine, centrifugo } = app.config.realtime
  const { url = '', api_key: key = '', proxy_secret: secret = '', recheck: recheckMs } = centrifugo
  const isUsed = engine === 'centrifugo'
  const api = new CentrifugoApi({ url, key })
  app.decorateRequest('asDoorman', function () {
    return createDoorman(app, app.clientAddress(this) ?? LOCAL_ADDRESS)
  })
  app.decorate('centrifugoOnly', checkSecret(secret))
  app.decorate(
    'centrifugo',
    isUsed
      ? new CentrifugoProxy({
          ctx: freshContext(app.ctx),
          log: app.moduleLog('realtime'),
          channels,
          load: (meta) => load(app, meta),
          end: (caller) => api.run([reconnecting(caller)]),
          recheckMs,
        })
      : undefined,
  )
  if (!isUsed) return undefined
  if (app.config.role !== 'web') watch(app, api)
  return api
}

function checkSecret(secret: string): onRequestHookHandler {
  const expected = digestToken(secret)
  return (request, _reply, done) => {
    const given = request.headers[SECRET_HEADER]
    const isRight = typeof given === 'string' && timingSafeEqual(digestToken(given), expected)
    done(isRight && secret !== '' ? undefined : new Unauthenticated())
  }
}

/** Asks for signs of life, for the alert that the cluster is away while no event says so. */
function watch(app: FastifyInstance, api: CentrifugoApi): void {
  new Gauge({
    name: 'realtime_centrifugo_up',
    help: 'Whether Centrifugo answered the last request: 1, or 0 while events wait for it.',
    aggregator: 'min',
    registers: [app.metrics],
    collect() {
      this.set(api.isUp ? 1 : 0)
    },
  })
  const warn = warnOfTrouble(app.moduleLog('realtime'), 'Centrifugo is away; events wait for it')
  const stop = new AbortController()
  let running: Promise<void> | undefined
  app.addHook('onReady', async () => {
    running = (async () => {
      while (!stop.signal.aborted) {
        await api.check().catch(warn)
        await pause(CHECK_INTERVAL_MS, stop.signal)
      }
    })()
  })
  app.addHook('onClose', async () => {
    stop.abort()
    await running
  })
}

async function load(
  { ctx, identities }: FastifyInstance,
  meta: ConnectionMeta,
): Promise<Listener | undefined> {
  const { address } = meta
  if (meta.kind === 'user') {
    const identity = await identities.reload(meta.session)
    if (identity === undefined) return undefined
    const { user, impersonatorId } = identity
    return { kind: 'user', user, sessionId: meta.session, impersonatorId, address }
  }
  const key = await ctx.apiKeys.reload({ org: meta.org, id: meta.key })
  return key?.mayComeFrom(address) ? { kind: 'api_key', key, address } : undefined
}
