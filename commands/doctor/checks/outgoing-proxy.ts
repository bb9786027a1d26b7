import { connect } from 'node:net'
import type { Variables } from '#config/engine/variables.ts'
import { type Check, type Finding, off, problem, warning, wordsOf } from '../check.ts'

/** Milliseconds. */
const TIMEOUT_MS = 5000

const NAMES = ['HTTPS_PROXY', 'HTTP_PROXY'] as const

/** The proxies that outgoing requests take, and the hosts that they reach without one. */
const check: Check = {
  name: 'outgoing proxy',
  reads: [],
  async run({ env }) {
    const proxies = NAMES.flatMap((name) => {
      const url = read(env, name)
      return url === undefined ? [] : [{ name, url }]
    })
    if (proxies.length === 0 && read(env, 'ALL_PROXY') !== undefined) return [unread()]
    if (proxies.length === 0) {
      return [off('Outgoing requests take no proxy.', 'None is needed.', 'Set HTTPS_PROXY if one is.')]
    }
    const reached = await Promise.all(proxies.map(({ name, url }) => checkReach(name, url)))
    return [...reached.flat(), ...checkExceptions(read(env, 'NO_PROXY') ?? '')]
  },
}
export default check

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

async function checkReach(name: string, text: string): Promise<Finding[]> {
  const url = URL.parse(text)
  // What is not a URL is among the problems of the configuration.
  if (url === null) return []
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  const socket = connect({ host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port })
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer in time')))
  socket.once('error', reject)
  socket.once('connect', () => resolve())
  try {
    await promise
    return []
  } catch (error) {
    return [
      problem(
        `The proxy of ${name}, ${url.host}, cannot be reached: ${wordsOf(error)}`,
        'The breach check, traces, error reports and object stores fail with it.',
        `Start it, or correct ${name}; hosts that need no proxy belong in NO_PROXY.`,
      ),
    ]
  } finally {
    socket.destroy()
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
