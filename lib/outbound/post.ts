import { type IncomingMessage, request as requestHttp } from 'node:http'
import type { Socket } from 'node:net'
import { connectDirectly, secure } from './connect.ts'
import { readExcerpt } from './excerpt.ts'
import { OutboundError } from './outbound-error.ts'
import { type Resolve, resolveHost } from './resolve.ts'
import { hostOf, type TargetRules, targetFault } from './target.ts'
import { connectThrough } from './tunnel.ts'

/** How messages leave. */
export interface PostOptions extends TargetRules {
  /** Milliseconds from looking the host up to the end of the answer's head. */
  readonly timeoutMs: number
  /** A proxy for all of them, which is then the one to refuse addresses that names lead to. */
  readonly proxyUrl?: string | undefined
  /** Certificate authorities (PEM) in place of Node's own; for tests. */
  readonly ca?: string | undefined
  /** How hosts are looked up; another one in tests. */
  readonly resolve?: Resolve
}

/** A message: the very bytes of the body are sent. */
export interface Message {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** The answer of a receiver. */
export interface Answer {
  readonly status: number
  /** `Retry-After` as it came. */
  readonly retryAfter: string | undefined
  /** The beginning of the body as text; null without one, or where it is compressed. */
  readonly excerpt: string | null
}

/** The largest head of an answer, in bytes. */
const MAX_HEADERS = 16 * 1024

/**
 * Posts a message to an address that a stranger chose. It is sent to hosts of the internet only, each attempt over a
 * connection of its own; redirects are answers like others, and compressed bodies stay as they are.
 *
 * @param signal ends the attempt
 * @throws OutboundError; what the signal is aborted with
 */
export async function post(message: Message, options: PostOptions, signal: AbortSignal): Promise<Answer> {
  if (targetFault(message.url, options) !== undefined) throw new OutboundError('blocked_url')
  signal.throwIfAborted()
  const ended = new AbortController()
  const giveUp = () => ended.abort()
  const timer = setTimeout(giveUp, options.timeoutMs)
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await exchange(message, options, ended.signal)
  } catch (error) {
    signal.throwIfAborted()
    throw ended.signal.aborted ? new OutboundError('timeout', error) : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
  }
}

async function exchange(message: Message, options: PostOptions, signal: AbortSignal): Promise<Answer> {
  const url = new URL(message.url)
  const socket = await open(url, options, signal)
  const abandon = () => socket.destroy()
  signal.addEventListener('abort', abandon, { once: true })
  try {
    signal.throwIfAborted()
    const stream = url.protocol === 'https:' ? await secure(socket, hostOf(url), options.ca) : socket
    const response = await send(stream, url, message)
    const { statusCode: status = 0, headers } = response
    return { status, retryAfter: headers['retry-after'], excerpt: await readExcerpt(response) }
  } finally {
    signal.removeEventListener('abort', abandon)
    socket.destroy()
  }
}

function open(url: URL, options: PostOptions, signal: AbortSignal): Promise<Socket> {
  const { proxyUrl, isAllowedAddress, resolve = resolveHost } = options
  return proxyUrl === undefined
    ? connectDirectly(url, { resolve, isAllowedAddress, signal })
    : connectThrough(proxyUrl, url, signal)
}

function send(socket: Socket, url: URL, { headers, body }: Message): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = requestHttp({
      method: 'POST',
      path: url.pathname + url.search,
      createConnection: () => socket,
      maxHeaderSize: MAX_HEADERS,
      headers: {
        host: url.host,
        'accept-encoding': 'identity',
        'content-length': body.length,
        ...headers,
      },
    })
    request.once('response', resolve)
    // Stays, because the connection may break after the answer as well.
    request.on('error', (cause) =>
      reject(new OutboundError(isOfParser(cause) ? 'protocol_error' : 'connection_error', cause)),
    )
    // Switching protocols is not an answer.
    request.once('upgrade', (_response, upgraded) => {
      upgraded.destroy()
      reject(new OutboundError('protocol_error'))
    })
    request.end(body)
  })
}

function isOfParser(error: Error): boolean {
  return 'code' in error && String(error.code).startsWith('HPE_')
}
