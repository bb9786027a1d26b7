import type { Server } from 'node:http'
import { fileURLToPath } from 'node:url'
import autoload from '@fastify/autoload'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyHttpOptions, type FastifyInstance, type FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import type { LoadedConfig } from './config/load.ts'
import { publicPath } from './config/public-url.ts'
import type { Config } from './config/schema/schema.ts'
import type { LogDestination } from './lib/log/destination.ts'
import { loggerOptions } from './lib/log/logger.ts'
import type { Tracing } from './lib/tracing/tracing.ts'
import packageJson from './package.json' with { type: 'json' }
import { answerClientError } from './plugins/http/connections/client-error.ts'
import { wantsRealtime } from './plugins/http/connections/upgrades.ts'
import { answerFrameworkError } from './plugins/http/errors/framework-error.ts'
import { requestOrder } from './plugins/http/order.ts'
import { readableUrl } from './plugins/http/request/readable-url.ts'
import { requestIdOf } from './plugins/http/request/request-id.ts'
import { QuietRequests } from './plugins/http/request/request-log.ts'

declare module 'fastify' {
  interface FastifyInstance {
    config: Config
    /** Where each key's value came from, if the process has said. */
    configSources: LoadedConfig['sources']
    /** The service's version, from package.json. */
    appVersion: string
    /** The path below which clients reach the service: '' or `/prefix`. */
    publicPath: string
    /** Where the log goes, if the process has said. */
    logDestination: LogDestination | undefined
  }
}

type ServerOptions = FastifyHttpOptions<Server>

const directory = (name: string) => fileURLToPath(new URL(name, import.meta.url))

interface AppOptions {
  config: Config
  extend?: FastifyPluginAsync | undefined
  logDestination?: LogDestination | undefined
  tracing?: Tracing | undefined
  sources?: LoadedConfig['sources'] | undefined
  answers?: boolean | undefined
}

/** The routes of a worker, which serves no product. */
const OPERATIONS = /^\/(?:health|live|metrics|ready)\//

/** The application: plugins/, folder by folder, then routes/, whose folders are the URL's. */
export const app = fp<AppOptions>(
  async (instance, { config, sources, extend, logDestination, tracing, answers = true }) => {
    instance.decorate('config', config)
    instance.decorate('configSources', sources ?? new Map())
    instance.decorate('appVersion', packageJson.version)
    instance.decorate('publicPath', publicPath(config.server))
    instance.decorate('logDestination', logDestination)
    instance.decorate('tracing', tracing)
    await instance.register(requestOrder)
    for (const folder of ['infrastructure', 'http', 'api'])
      await instance.register(autoload, { dir: directory(`plugins/${folder}`) })
    instance.applySteps()
    if (extend) await instance.register(fp(extend))
    if (!answers) return
    await instance.register(autoload, {
      dir: directory('routes'),
      routeParams: true,
      autoHooks: true,
      cascadeHooks: true,
      ...(config.role === 'worker' ? { matchFilter: OPERATIONS } : {}),
    })
    instance.refuseOtherMethods()
  },
)

/**
 * Makes an instance that is ready for requests; it listens only when told to.
 *
 * @param config as `loadConfig` returns it, with `database.url` set
 * @param options.sources where each key's value came from, as `loadConfig` returns it
 * @param options.logger replaces the logger that `config.log` describes
 * @param options.logDestination where that logger writes; without it, to standard output
 * @param options.tracing traces of this process, started before; without it nothing is traced
 * @param options.extend a plugin that comes after those of plugins/ and before the routes
 * @param options.answers whether it has routes, which it has unless told otherwise; compiling them is most of a start
 * @throws MigrationError and whatever keeps a plugin from starting; a database that is away does not
 */
export async function buildApp(
  config: Config,
  {
    answers,
    extend,
    logDestination,
    sources,
    tracing,
    ...options
  }: Pick<ServerOptions, 'logger'> & Omit<AppOptions, 'config'> = {},
): Promise<FastifyInstance> {
  const server = traced({ ...serverOptions(config, logDestination), ...options }, tracing)
  const instance = Fastify(server).withTypeProvider<TypeBoxTypeProvider>()
  try {
    await instance.register(app, { config, sources, extend, logDestination, tracing, answers })
    await instance.ready()
    return instance
  } catch (error) {
    // What did start is not to keep the process alive.
    await instance.close()
    throw error
  }
}

/** Has the lines of requests and jobs name their trace. */
function traced(options: ServerOptions, tracing: Tracing | undefined): ServerOptions {
  const { logger } = options
  if (!tracing || typeof logger !== 'object') return options
  const mixin: Tracing['logFields'] = (...line) => tracing.logFields(...line)
  return { ...options, logger: { ...logger, mixin } }
}

/** For `request.host` and `request.protocol`; who asks is `app.clientAddress(request)`. */
function isTrustingList({ trusted_proxies, forwarded_header }: Config['server']): boolean {
  return trusted_proxies.length > 0 && forwarded_header === 'x-forwarded-for'
}

function serverOptions({ server, log }: Config, stream?: LogDestination): ServerOptions {
  return {
    logger: { ...loggerOptions(log), ...(stream ? { stream } : {}) },
    logController: new QuietRequests({ requestIdLogLabel: 'request_id' }),
    genReqId: ({ headers }) => requestIdOf(headers),
    trustProxy: isTrustingList(server) ? server.trusted_proxies : false,
    // How long a start may take is for the orchestrator to say; on a busy machine that is long.
    pluginTimeout: 0,
    bodyLimit: server.body_limit,
    // Node's is one for all requests; plugins/http/connections/body-timeout.ts tells uploads from others.
    requestTimeout: 0,
    connectionTimeout: server.stall_timeout,
    keepAliveTimeout: server.keep_alive_timeout,
    http: {
      headersTimeout: server.headers_timeout,
      maxHeaderSize: server.max_header_size,
      // How often Node looks for requests that are late; its default would add half a minute.
      connectionsCheckingInterval: Math.ceil(server.headers_timeout / 4),
      // Any other request for an upgrade is answered as if it asked for none.
      shouldUpgradeCallback: (request) => wantsRealtime(request),
      // Node's own response is not a problem document; plugins/http/connections/malformed-requests.ts sends ours.
      requireHostHeader: false,
      // Node would drop all but the first of two `Host`, `Authorization` or `Content-Type`, and a proxy may have
      // looked at another. Joined by a comma they are nothing that we take.
      joinDuplicateHeaders: true,
    },
    rewriteUrl: ({ url = '/' }) => readableUrl(url),
    // Requests that come while the listener closes are served; the answer ends the connection.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 512 },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
  }
}
