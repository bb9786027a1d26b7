/** The least that an HTTP server in Node can do: a constant body, no routing, no logging. Listens on PORT. */
import { createServer } from 'node:http'

const BODY = JSON.stringify({ status: 'alive', version: '0.1.0', timestamp: '2026-01-01T00:00:00.000Z' })

const server = createServer((_request, response) => {
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(BODY),
  })
  response.end(BODY)
})
server.listen(Number(process.env['PORT']), '127.0.0.1')
process.once('SIGTERM', () => process.exit(0))
