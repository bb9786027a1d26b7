import type { IncomingMessage } from 'node:http'

/** Where WebSockets are opened. */
const REALTIME_PATH = '/realtime'

/** Whether a request asks for a WebSocket of realtime. Node then leaves the connection to who listens to `upgrade`. */
export function wantsRealtime({ method, url = '', headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    url.split('?', 1)[0] === REALTIME_PATH &&
    headers.upgrade?.toLowerCase() === 'websocket'
  )
}
