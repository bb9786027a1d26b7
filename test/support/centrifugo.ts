import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { startProcess, type TestProcess } from './process.ts'

const CONFIG = join(import.meta.dirname, '../../deploy/centrifugo/config.json')

/** Why tests that need Centrifugo are skipped; false where it is. */
export const WITHOUT_CENTRIFUGO: string | false =
  spawnSync('centrifugo', ['version']).status === 0 ? false : 'there is no centrifugo'

/** A real Centrifugo of a test's own, with the configuration that we deliver. */
export interface CentrifugoServer {
  /** Settings of a service that uses it. */
  readonly settings: Record<string, string>
  /** Where clients connect. */
  readonly url: string
  /** Starts it, for the service that listens there. */
  start(service: string): Promise<void>
  /** It dies, and what it remembers with it. */
  kill(): Promise<void>
  /** It hangs: connections stay and are accepted, nothing is answered. */
  pause(): void
  resume(): void
  /** Its log so far. */
  log(): string
}

interface CentrifugoOptions {
  /** Origins whose pages may connect. */
  readonly origins?: string
  /** Where the nodes of a cluster know of each other; without it a node is alone. */
  readonly redis?: string
  /** Another node of the same cluster. */
  readonly like?: CentrifugoServer
}

/** Finds a place for a Centrifugo; it ends with `t`. */
export async function placeCentrifugo(
  t: Test,
  { origins, redis, like }: CentrifugoOptions = {},
): Promise<CentrifugoServer> {
  const port = await freePort()
  const {
    APP_REALTIME__CENTRIFUGO__API_KEY: key = crypto.randomUUID(),
    APP_REALTIME__CENTRIFUGO__PROXY_SECRET: secret = `${crypto.randomUUID()}${crypto.randomUUID()}`,
  } = like?.settings ?? {}
  const headers = JSON.stringify({ 'X-Centrifugo-Secret': secret })
  let server: TestProcess | undefined
  let log = ''
  t.teardown(() => server?.child.kill('SIGCONT'))
  const variables = (service: string) => {
    const routes = {
      CLIENT_PROXY_CONNECT: 'connect',
      CLIENT_PROXY_REFRESH: 'refresh',
      CHANNEL_PROXY_SUBSCRIBE: 'subscribe',
      CHANNEL_PROXY_SUB_REFRESH: 'sub-refresh',
    }
    const proxies = Object.entries(routes).flatMap(([name, route]) => [
      [`CENTRIFUGO_${name}_ENDPOINT`, `${service}/realtime/centrifugo/${route}`],
      [`CENTRIFUGO_${name}_HTTP_STATIC_HEADERS`, headers],
    ])
    return {
      ...Object.fromEntries(proxies),
      CENTRIFUGO_HTTP_SERVER_ADDRESS: '127.0.0.1',
      CENTRIFUGO_HTTP_SERVER_PORT: String(port),
      CENTRIFUGO_HTTP_API_KEY: key,
      // How often it looks for subscriptions whose time is over, in place of 27 s.
      CENTRIFUGO_CLIENT_PRESENCE_UPDATE_INTERVAL: '1s',
      ...(origins === undefined ? {} : { CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: origins }),
      ...(redis === undefined
        ? {}
        : { CENTRIFUGO_ENGINE_TYPE: 'redis', CENTRIFUGO_ENGINE_REDIS_ADDRESS: redis }),
    }
  }
  return {
    settings: {
      APP_REALTIME__ENGINE: 'centrifugo',
      APP_REALTIME__CENTRIFUGO__URL: `http://127.0.0.1:${port}`,
      APP_REALTIME__CENTRIFUGO__API_KEY: key,
      APP_REALTIME__CENTRIFUGO__PROXY_SECRET: secret,
    },
    url: `ws://127.0.0.1:${port}/realtime`,
    async start(service) {
      log += server?.stderr() ?? ''
      server = startProcess(t, 'centrifugo', ['--config', CONFIG], {
        env: { ...process.env, ...variables(service) },
      })
      await eventually(() =>
        fetch(`http://127.0.0.1:${port}/health`).then(
          ({ ok }) => ok,
          () => false,
        ),
      )
    },
    async kill() {
      server?.child.kill('SIGKILL')
      await server?.exited
    },
    pause: () => server?.child.kill('SIGSTOP'),
    resume: () => server?.child.kill('SIGCONT'),
    log: () => `${log}${server?.stdout()}${server?.stderr()}`,
  }
}
