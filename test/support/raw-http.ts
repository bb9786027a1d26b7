import { connect, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'

/** A response, taken apart. */
export interface RawResponse {
  status: number
  headers: Record<string, string>
  body: string
}

/** Makes the application listen on a free port and returns the port. */
export async function listen(app: FastifyInstance): Promise<number> {
  return Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)
}

/**
 * Sends bytes as they are and returns everything received before the server ends the connection. A request that
 * is to be answered with nothing after it needs `connection: close`.
 */
export async function exchange(port: number, ...parts: (string | Buffer)[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    received += chunk
  })
  socket.on('close', () => resolve(received))
  // A server that refuses what is still being sent resets the connection, after its answer.
  socket.on('error', (error) => (received === '' ? reject(error) : resolve(received)))
  for (const part of parts) socket.write(part)
  return promise
}

/** Takes the responses of a connection apart, by their content-length. */
export function responsesIn(received: string): RawResponse[] {
  const responses: RawResponse[] = []
  let rest = received
  while (rest !== '') {
    const [head = '', ...after] = rest.split('\r\n\r\n')
    const [line = '', ...fields] = head.split('\r\n')
    const headers = Object.fromEntries(
      fields.map((field) => {
        const colon = field.indexOf(':')
        return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()]
      }),
    )
    const tail = Buffer.from(after.join('\r\n\r\n'))
    const length = Number(headers['content-length'] ?? 0)
    responses.push({
      status: Number(line.split(' ')[1]),
      headers,
      body: tail.subarray(0, length).toString(),
    })
    rest = tail.subarray(length).toString()
  }
  return responses
}

/** Sends bytes and returns the only response to them. */
export async function respond(port: number, ...parts: (string | Buffer)[]): Promise<RawResponse> {
  const [response] = responsesIn(await exchange(port, ...parts))
  if (!response) throw new Error('the server closed the connection without an answer')
  return response
}

/** A connection that stays open until the test ends. */
export function open(t: Test, port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  t.teardown(() => socket.destroy())
  return socket
}

/** Checks that a response is a problem document, complete and without anything internal. */
export function isProblem(t: Test, response: RawResponse, status: number, code: string): void {
  t.equal(response.status, status, `${code} is ${status}`)
  t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.equal(response.headers['cache-control'], 'no-store')
  t.equal(response.headers['x-content-type-options'], 'nosniff')
  const { request_id, ...problem } = JSON.parse(response.body)
  t.match(problem, { code, status, type: `urn:problem-type:${code}`, title: String, detail: String })
  t.equal(request_id, response.headers['x-request-id'])
  t.notMatch(response.body, /node_modules|\.ts:|at \w+ \(|FST_|HPE_|ERR_|SELECT/, 'nothing internal')
}
