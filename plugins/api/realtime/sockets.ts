import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ServiceError } from '#lib/errors.ts'
import { LOCAL_ADDRESS, networkOf } from '#lib/network/addresses.ts'
import { requestIdOf } from '#plugins/http/request/request-id.ts'
import { Client } from '#services/realtime/client.ts'
import type { Connection } from '#services/realtime/connection.ts'
import type { Listener } from '#services/realtime/define-channel.ts'
import { ENDINGS } from '#services/realtime/protocol.ts'
import { answersFirst } from './answers-first.ts'
import { createDoorman } from './callers.ts'
import { createRefusal, refuseHandshake } from './refused-sockets.ts'

/** Largest frame, and largest message of several, in bytes. */
const MAX_FRAME = 64 * 1024
/** Parts in which a message may come, and that may wait to be read, which cost more than their bytes. */
const MAX_PARTS = 256
/** Milliseconds for which the other side may take to close, too. */
const CLOSE_TIMEOUT_MS = 2000

/** Opens WebSockets on `GET /realtime`: checks where they come from and how many there are, before anything is said. */
export function acceptSockets(app: FastifyInstance): void {
  const sockets = createServer(app)
  const { max_waiting: maxWaiting, ping_interval: pingMs } = app.config.realtime
  const perNetwork = new Map<string, number>()
  const refuse = createRefusal(app)
  const log = app.moduleLog('realtime')

  function open(socket: WebSocket, request: IncomingMessage, address: string): void {
    const network = networkOf(address)
    const { realtimeHub: hub, appVersion: version } = app
    const since = performance.now()
    perNetwork.set(network, (perNetwork.get(network) ?? 0) + 1)
    const now = () => performance.now()
    const connection = connectionOf(socket)
    const doorman = createDoorman(app, address)
    const client = hub && new Client({ hub, connection, doorman, version, maxWaiting, pingMs, now })
    socket.on('message', (data, isBinary) => {
      if (isBinary) client?.end(ENDINGS.binary)
      else client?.receive(String(data))
    })
    // What breaks the protocol ends the connection, and that is all.
    socket.on('error', () => undefined)
    socket.once('close', (code) => {
      const left = (perNetwork.get(network) ?? 1) - 1
      if (left > 0) perNetwork.set(network, left)
      else perNetwork.delete(network)
      client?.left()
      const milliseconds = Math.round(performance.now() - since)
      const fields = {
        operation: 'openRealtime',
        request_id: requestIdOf(request.headers),
        ...callerOf(client?.listener),
      }
      log.info(
        { ...fields, remote_address: network, code, duration_ms: milliseconds },
        'realtime connection ended',
      )
    })
  }

  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!(socket instanceof Socket)) {
      socket.destroy()
      return
    }
    socket.on('error', () => socket.destroy())
    answersFirst(app.connections.get(socket), socket, () => accept(request, socket, head))
  })

  function accept(request: IncomingMessage, socket: Socket, head: Buffer): void {
    app.leaveConnection(socket)
    const address = app.clientAddress(request) ?? LOCAL_ADDRESS
    const network = networkOf(address)
    const decide = (limited: ServiceError | undefined) => {
      if (refuse(request, socket, { network, others: perNetwork.get(network) ?? 0, limited })) return
      sockets.handleUpgrade(request, socket, head, (opened) => open(opened, request, address))
    }
    const limited = app.limitSockets(network)
    if (limited instanceof Promise) void limited.then(decide)
    else decide(limited)
  }
}

/** Makes what speaks the protocol below Centrifugo's, and refuses who does not. */
function createServer(app: FastifyInstance): WebSocketServer {
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // A window of zlib for each connection would be most of its memory.
    perMessageDeflate: false,
    maxPayload: MAX_FRAME,
    maxFragments: MAX_PARTS,
    maxBufferedChunks: MAX_PARTS,
    handleProtocols: chooseProtocol,
  })
  sockets.on('wsClientError', ({ message }, socket, request) => {
    if (socket instanceof Socket) refuseHandshake(app, request, socket, message)
    else socket.destroy()
  })
  return sockets
}

/** Chooses JSON of the forms that a client offers. One that offers others alone is told so by how its first frame ends. */
function chooseProtocol(offered: ReadonlySet<string>): string | false {
  const [first = false] = offered
  return offered.has('centrifuge-json') ? 'centrifuge-json' : first
}

/** The fields of a log line that say who it was. */
function callerOf(listener: Listener | undefined): object {
  if (listener === undefined) return {}
  return listener.kind === 'user' ? { user_id: listener.user.id } : { api_key_id: listener.key.id }
}

function connectionOf(socket: WebSocket): Connection {
  return {
    send: (frame) => socket.send(frame, { binary: false }),
    get waiting() {
      return socket.bufferedAmount
    },
    close({ code, reason }) {
      socket.close(code, reason)
      // One that reads nothing, or is gone, does not close its side.
      const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS)
      socket.once('close', () => clearTimeout(timer))
    },
  }
}
