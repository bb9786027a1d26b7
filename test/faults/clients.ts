import { connect, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A client at the level of its socket. */
export interface RawClient {
  readonly socket: Socket
  /** Data received so far. */
  received(): string
  /** Waits for the end of the connection. */
  readonly closed: Promise<void>
}

/** Connects, and goes away with `t` at the latest. One that is `deaf` does not notice that the service closes. */
export function connectRaw(t: Test, url: string, { deaf = false } = {}): RawClient {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), allowHalfOpen: deaf })
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    received += chunk
  })
  socket.on('error', () => undefined)
  t.teardown(() => socket.destroy())
  return {
    socket,
    received: () => received,
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
  }
}

/** As many of something as asked for. */
export function many<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n))
}

/** Sends `head`, and then a byte again and again until the connection closes. */
export function drip({ socket }: RawClient, head: string): void {
  socket.write(head)
  const timer = setInterval(() => socket.write('x'), 250)
  socket.once('close', () => clearInterval(timer))
}
