import { createServer } from 'node:net'

/** Below the ports that systems give to outgoing connections, one of which could take it before a server does. */
const PORTS = { first: 20_000, count: 12_000 }

/** Returns a port of 127.0.0.1 that nobody uses, for a server of a test that is not told to choose one itself. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
