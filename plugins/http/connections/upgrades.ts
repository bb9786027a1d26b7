import type { IncomingMessage } from 'node:http'

/** Where WebSockets are opened. */
const REALTIME_PATH = '/realtime'

/**
 * Whether a request asks for a WebSocket of realtime. Node then leaves the connection to who listens to `upgrade`. HTTP/1.0
 * has no upgrades (RFC 9110 section 7.8).
 */
export function wantsRealtime({ method, url = '', headers, httpVersion }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    httpVersion === '1.1' &&
    url.split('?', 1)[0] === REALTIME_PATH &&
    headers.upgrade?.toLowerCase() === 'websocket'
  )
}
