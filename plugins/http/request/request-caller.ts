import type { Socket } from 'node:net'
import type { Caller } from '#lib/database/caller.ts'

/** Who waits on each socket: one listener for all requests that are pipelined on it. */
const waiting = new WeakMap<Socket, Set<() => void>>()

/**
 * The client at the other end of a socket. Asked only when a request really waits for something, so that the
 * others pay nothing. (Fastify's `request.signal` follows the request's own stream, which closes once the body
 * is read.)
 */
export class SocketCaller implements Caller {
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  isGone(): boolean {
    return this.#socket.destroyed
  }

  onGone(listener: () => void): () => void {
    const listeners = waiting.get(this.#socket) ?? listen(this.#socket)
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
}

function listen(socket: Socket): Set<() => void> {
  const listeners = new Set<() => void>()
  waiting.set(socket, listeners)
  socket.once('close', () => {
    for (const listener of listeners) listener()
  })
  return listeners
}
