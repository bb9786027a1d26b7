import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Socket } from 'node:net'
import { OutboundError } from './outbound-error.ts'
import { hostOf, portOf } from './target.ts'

/**
 * Opens a connection to a URL's host by way of a proxy (CONNECT), which looks the host up, and refuses addresses.
 *
 * @throws OutboundError
 */
export function connectThrough(proxyUrl: string, url: URL, signal: AbortSignal): Promise<Socket> {
  const proxy = new URL(proxyUrl)
  const path = `${url.hostname}:${portOf(url)}`
  const { username, password } = proxy
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)
  const request = (proxy.protocol === 'https:' ? requestHttps : requestHttp)({
    method: 'CONNECT',
    host: hostOf(proxy),
    port: portOf(proxy),
    path,
    agent: false,
    signal,
    headers: {
      host: path,
      ...(username ? { 'proxy-authorization': `Basic ${credentials.toString('base64')}` } : {}),
    },
  })
  return new Promise((resolve, reject) => {
    request.once('error', (cause) => reject(new OutboundError('connection_error', cause)))
    // Comes with any final answer: after this method Node takes what follows for the tunnel's, whatever the status is.
    request.once('connect', ({ statusCode = 0 }, socket, head) => {
      if (statusCode === 200 && head.length === 0) return resolve(socket)
      socket.destroy()
      reject(
        new OutboundError(statusCode === 403 || statusCode === 407 ? 'blocked_address' : 'connection_error'),
      )
    })
    request.end()
  })
}
