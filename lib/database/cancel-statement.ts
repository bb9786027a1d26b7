import pg from 'pg'

declare module 'pg' {
  interface Client {
    // Missing in @types/pg: what a request to cancel must name (BackendKeyData).
    readonly secretKey: number | null
  }
  interface Connection {
    // Missing in @types/pg.
    connect(port: number, host: string): void
    connect(path: string): void
    requestSsl(): void
    cancel(processID: number, secretKey: number): void
  }
}

/** Milliseconds that the server gets to take the request. */
const CANCEL_TIMEOUT_MS = 2000

/**
 * Asks the server to cancel what runs on a connection, over another one, which is how the protocol has it
 * (https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS). It goes through
 * poolers, and to nobody else's connection, for which `pg_cancel_backend` with a number that a pooler made up
 * would be good. It never throws.
 *
 * @returns whether the signal was sent before this returned. If so, the server drops it when nothing runs any
 * more, and it can't hit what is sent on the connection later; if not, it may still come.
 */
export function cancelStatement(client: pg.Client): Promise<boolean> {
  const { host, port, ssl, processID, secretKey } = client
  if (processID === null || secretKey === null) return Promise.resolve(false)
  const connection = new pg.Connection({ ssl })
  const { promise, resolve } = Promise.withResolvers<boolean>()
  let accepted = false
  const send = () => {
    accepted = true
    connection.cancel(processID, secretKey)
  }
  const fail = () => {
    accepted = false
    connection.stream.destroy()
  }
  const timer = setTimeout(fail, CANCEL_TIMEOUT_MS)
  connection.once('connect', () => (ssl ? connection.requestSsl() : send()))
  connection.once('sslconnect', send)
  connection.on('error', fail)
  // The server closes the connection when it has sent the signal.
  connection.once('end', () => {
    clearTimeout(timer)
    resolve(accepted)
  })
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`)
  else connection.connect(port, host)
  return promise
}
