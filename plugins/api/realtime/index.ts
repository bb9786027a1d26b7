import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { Listener } from '#lib/database/listener.ts'
import type { AppContext } from '#plugins/infrastructure/context.ts'
import { CentrifugoPresence } from '#services/realtime/centrifugo/presence.ts'
import { type ChannelList, findChannels } from '#services/realtime/channel-list.ts'
import { Hub, TICKS_PER_SECOND } from '#services/realtime/hub.ts'
import type { RealtimeJobsContext } from '#services/realtime/jobs.ts'
import { Attendance } from '#services/realtime/presence/attendance.ts'
import type { PresenceContext } from '#services/realtime/presence/presence.ts'
import { ENDINGS } from '#services/realtime/protocol.ts'
import { Reader } from '#services/realtime/reader.ts'
import type { RealtimeContext } from '#services/realtime/sink.ts'
import { createCallers } from './callers.ts'
import { useCentrifugo } from './centrifugo.ts'
import { gatheringContext } from './contexts.ts'
import { registerMetrics } from './metrics.ts'
import { acceptSockets } from './sockets.ts'
import { serveStreams } from './streams.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext
    extends Pick<RealtimeContext, 'realtime'>,
      Pick<PresenceContext, 'presence'>,
      Pick<RealtimeJobsContext, 'realtimeHistoryMs'> {}
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Who listens at this instance; undefined where nothing is told live. */
    readonly realtimeHub: Hub<AppContext> | undefined
    /** The kinds of channels, by name. */
    readonly channels: ChannelList<AppContext>['channels']
  }
}

const TICK_MS = 1000 / TICKS_PER_SECOND
/** Milliseconds between signs of life of the connection that listens, and before it is made again. */
const BEAT_INTERVAL_MS = 5000
const RETRY_INTERVAL_MS = 1000
/** Milliseconds over which connections are ended while the instance drains. */
const DRAIN_STEP_MS = 100

/** Tells clients live what happens (services/realtime/): channels, their listeners, and who reads what is published. */
export default fp(
  async (app) => {
    const { realtime, role } = app.config
    const channels = await findChannels<AppContext>()
    app.decorate('channels', channels.channels)
    const centrifugo = useCentrifugo(app, channels)
    app.addContext({
      realtime: { isUsed: realtime.engine !== 'none', channels, centrifugo },
      realtimeHistoryMs: realtime.history,
    })
    const isServing = realtime.engine === 'embedded' && role !== 'worker'
    const attendance = isServing ? new Attendance(app.db, app.moduleLog('realtime')) : undefined
    app.addContext({
      presence: {
        source: centrifugo ? new CentrifugoPresence(centrifugo) : attendance,
        async find(listener, name) {
          const found = channels.find(name)
          return found && (await found.channel.authorize(app.ctx, listener, found.params)) ? found : undefined
        },
      },
    })
    app.decorate('realtimeHub', attendance && (await createHub(app, channels, attendance)))
    acceptSockets(app)
    serveStreams(app)
  },
  {
    name: 'realtime',
    dependencies: [
      'api-keys',
      'client-address',
      'connections',
      'context',
      'credentials',
      'database',
      'draining',
      'identity',
      'load-shedding',
      'log-levels',
      'metrics',
      'rate-limit',
      'refusals',
      'tokens',
    ],
  },
)

async function createHub(
  app: FastifyInstance,
  channels: ChannelList<AppContext>,
  attendance: Attendance,
): Promise<Hub<AppContext>> {
  const { database, realtime } = app.config
  const log = app.moduleLog('realtime')
  const metrics = registerMetrics(app, () => ({ hub, silenceMs: reader.silenceMs }))
  const reader: Reader = new Reader({
    ctx: app.ctx,
    log,
    deliver: (messages) => hub.deliver(messages),
    lost: () => hub.lost(),
  })
  const ears = new Listener({
    connection: { ...(await connectionOptions(database)), application_name: 'groundwork-realtime' },
    channel: 'realtime',
    beatIntervalMs: BEAT_INTERVAL_MS,
    retryIntervalMs: RETRY_INTERVAL_MS,
    heard: () => reader.wake(),
    // The reader looks by itself as well, and warns when the database is away.
    lost: () => undefined,
    pooled: (error) =>
      log.warn({ err: error }, 'nobody wakes the reader of realtime, which looks every 250 ms'),
  })
  let isTicking = false
  const tickLater = () => {
    isTicking = true
    setTimeout(() => {
      hub.tick(performance.now())
      // An idle service is not to wake so often.
      if (hub.peers.size > 0) tickLater()
      else isTicking = false
    }, TICK_MS).unref()
  }
  const hub: Hub<AppContext> = new Hub({
    awake() {
      if (!isTicking) tickLater()
    },
    ctx: gatheringContext(app.ctx),
    log,
    channels,
    reader: {
      // Nobody is awake while nobody listens.
      start() {
        ears.start()
        return reader.start()
      },
    },
    limits: {
      channels: realtime.channels_per_connection,
      perUser: realtime.connections_per_user,
      perOrganization: realtime.subscriptions_per_organization,
      historySize: realtime.history_size,
      historyBytes: realtime.max_waiting / 2,
    },
    callers: createCallers(app),
    attendance,
    observer: metrics,
  })
  app.onIdentityChange(hub.rights)
  app.onDrain(() => spreadEnds(hub, app.config.server.drain_delay))
  app.onRetire((withinMs) => spreadEnds(hub, withinMs))
  app.addHook('preClose', async () => {
    for (const peer of [...hub.peers]) peer.end(ENDINGS.shutdown)
  })
  app.addHook('onClose', async () => {
    await Promise.all([ears.close(), reader.close(), attendance.close()])
  })
  return hub
}

/** Ends the connections evenly over the time until the instance closes, so that clients do not return all at once. */
function spreadEnds(hub: Hub<AppContext>, withinMs: number): void {
  const steps = Math.max(1, Math.floor(withinMs / DRAIN_STEP_MS) - 1)
  const share = Math.ceil(hub.peers.size / steps)
  const step = () => {
    for (const peer of [...hub.peers].slice(0, share)) peer.end(ENDINGS.shutdown)
    if (hub.peers.size > 0) setTimeout(step, DRAIN_STEP_MS).unref()
  }
  step()
}
