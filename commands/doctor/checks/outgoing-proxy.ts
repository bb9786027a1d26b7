import type { Variables } from '#config/engine/variables.ts'
import { type Check, type Finding, off, problem, warning, wordsOf } from '../check.ts'
import { reach } from '../reach.ts'

const NAMES = ['HTTPS_PROXY', 'HTTP_PROXY'] as const

/** A proxy, and what follows when it is away. */
interface Proxy {
  readonly name: string
  readonly url: string
  readonly why: string
  readonly how: string
}

/** The proxies that outgoing requests take, and the hosts that they reach without one. */
const check: Check = {
  name: 'outgoing proxy',
  reads: ['webhooks.proxy_url'],
  async run({ config, env }) {
    const proxies = [...proxiesOf(env), ...proxyOfWebhooks(config.webhooks.proxy_url)]
    const reached = (await Promise.all(proxies.map(checkReach))).flat()
    const isRead = NAMES.some((name) => read(env, name) !== undefined)
    if (isRead) return [...reached, ...checkExceptions(read(env, 'NO_PROXY') ?? '')]
    if (read(env, 'ALL_PROXY') !== undefined) return [...reached, unread()]
    if (proxies.length > 0) return reached
    return [off('Outgoing requests take no proxy.', 'None is needed.', 'Set HTTPS_PROXY if one is.')]
  },
}
export default check

function proxiesOf(env: Variables): Proxy[] {
  return NAMES.flatMap((name) => {
    const url = read(env, name)
    const why = 'The breach check, traces, error reports and object stores fail with it.'
    const how = `Start it, or correct ${name}; hosts that need no proxy belong in NO_PROXY.`
    return url === undefined ? [] : [{ name, url, why, how }]
  })
}

function proxyOfWebhooks(url: string | undefined): Proxy[] {
  const name = 'webhooks.proxy_url'
  const why = 'No webhook is delivered; deliveries are tried again for days.'
  const how = 'Start it, or correct APP_WEBHOOKS__PROXY_URL.'
  return url === undefined ? [] : [{ name, url, why, how }]
}

/** Other programs take it, SOCKS proxies included. */
function unread(): Finding {
  return warning(
    'ALL_PROXY is set, which is not read here.',
    'Outgoing requests take no proxy.',
    'Set HTTPS_PROXY and HTTP_PROXY to the URL of an HTTP proxy.',
  )
}

/** In either case, as the service reads it. */
function read(env: Variables, name: string): string | undefined {
  return env[name] || env[name.toLowerCase()] || undefined
}

async function checkReach({ name, url: text, why, how }: Proxy): Promise<Finding[]> {
  const url = URL.parse(text)
  // What is not a URL is among the problems of the configuration.
  if (url === null) return []
  try {
    await reach(url)
    return []
  } catch (error) {
    return [problem(`The proxy of ${name}, ${url.host}, cannot be reached: ${wordsOf(error)}`, why, how)]
  }
}

/** Networks and ranges mean nothing to part of the requests, and curl and others take them. */
function checkExceptions(text: string): Finding[] {
  const networks = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => /^[\d.]+-[\d.]+$|^[\da-fA-F:.]+\/\d+$/.test(item))
  if (networks.length === 0) return []
  return [
    warning(
      `NO_PROXY names networks, which say nothing here: ${networks.join(', ')}`,
      'Requests to hosts in them go through the proxy all the same.',
      'Name the hosts, or the ends of their names: collector,.internal,10.1.2.3',
    ),
  ]
}
