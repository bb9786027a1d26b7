import type { Server } from 'node:http'
import { fileURLToPath } from 'node:url'
import autoload from '@fastify/autoload'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyHttpOptions, type FastifyInstance, type FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { loggerOptions } from './config/logger.ts'
import type { Config } from './config/schema.ts'
import packageJson from './package.json' with { type: 'json' }
import { answerClientError } from './plugins/errors/client-error.ts'
import { answerFrameworkError } from './plugins/errors/framework-error.ts'
import { requestIdOf } from './plugins/request-id.ts'
import { QuietRequests } from './plugins/request-log.ts'

declare module 'fastify' {
  interface FastifyInstance {
    config: Config
    /** Of the service, from package.json. */
    appVersion: string
  }
}

type ServerOptions = FastifyHttpOptions<Server>

const directory = (name: string) => fileURLToPath(new URL(name, import.meta.url))

interface AppOptions {
  config: Config
  extend?: FastifyPluginAsync | undefined
}

/** The routes of a worker, which serves no product. */
const OPERATIONS = /^\/(?:health|live|metrics|ready)\//

/** The application: plugins/, then routes/, whose folders are the URL's. */
export const app = fp<AppOptions>(
  async (instance, { config, extend }) => {
    instance.decorate('config', config)
    instance.decorate('appVersion', packageJson.version)
    await instance.register(autoload, { dir: directory('plugins') })
    if (extend) await instance.register(fp(extend))
    await instance.register(autoload, {
      dir: directory('routes'),
      routeParams: true,
      autoHooks: true,
      cascadeHooks: true,
      ...(config.role === 'worker' ? { matchFilter: OPERATIONS } : {}),
    })
    instance.refuseOtherMethods()
  },
  { name: 'app' },
)

/**
 * Makes an instance that is ready for requests; it listens only when told to.
 *
 * @param config as `loadConfig` gives it, with `database.url` set
 * @param options.logger replaces the logger that `config.log` describes
 * @param options.extend a plugin that comes after those of plugins/ and before the routes
 * @throws MigrationError and whatever keeps a plugin from starting; a database that is away does not
 */
export async function buildApp(
  config: Config,
  { extend, ...options }: Pick<ServerOptions, 'logger'> & Pick<AppOptions, 'extend'> = {},
): Promise<FastifyInstance> {
  const instance = Fastify({ ...serverOptions(config), ...options }).withTypeProvider<TypeBoxTypeProvider>()
  try {
    await instance.register(app, { config, extend })
    await instance.ready()
    return instance
  } catch (error) {
    // What did start is not to keep the process alive.
    await instance.close()
    throw error
  }
}

function serverOptions({ server, log }: Config): ServerOptions {
  return {
    logger: loggerOptions(log),
    logController: new QuietRequests({ requestIdLogLabel: 'request_id' }),
    genReqId: ({ headers }) => requestIdOf(headers),
    trustProxy: server.trusted_proxies.length > 0 ? server.trusted_proxies : false,
    // How long a start may take is for the orchestrator to say; on a busy machine that is long.
    pluginTimeout: 0,
    bodyLimit: server.body_limit,
    requestTimeout: server.request_timeout,
    keepAliveTimeout: server.keep_alive_timeout,
    http: {
      headersTimeout: server.headers_timeout,
      maxHeaderSize: server.max_header_size,
      // How often Node looks for requests that are late; its default would add half a minute.
      connectionsCheckingInterval: Math.ceil(server.headers_timeout / 4),
      // Node's own answer is no problem document; plugins/malformed-requests.ts gives ours.
      requireHostHeader: false,
    },
    // Requests that come while the listener closes are served; the answer ends the connection.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 512 },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
  }
}
