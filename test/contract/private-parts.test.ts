import { executionAsyncResource } from 'node:async_hooks'
import { once } from 'node:events'
import { createServer, Server as HttpServer, type RequestListener, ServerResponse } from 'node:http'
import { connect, Server, type Socket } from 'node:net'
import Fastify from 'fastify'
import pg from 'pg'
import { Counter, Histogram, Registry } from 'prom-client'
import t, { type Test } from 'tap'

/*
 * What we use of Node, Fastify, pg and prom-client that they do not promise. A failure after an upgrade says what is
 * gone; docs/decisions/040-private-parts.md says who uses it, and what to try.
 */

/** Sends bytes to a server with this listener, and returns the client's socket. */
async function send(t: Test, bytes: string, listener: RequestListener): Promise<Socket> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port')
  const client = connect(address.port, '127.0.0.1')
  t.teardown(() => {
    client.destroy()
    server.close()
  })
  client.write(bytes)
  return client
}

const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'

t.test('Node: a socket names the answer that is due next (_httpMessage)', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  await send(t, GET, (request, response) => {
    const { socket } = request
    t.ok('_httpMessage' in socket && socket._httpMessage === response)
    t.ok(response instanceof ServerResponse)
    response.end()
    resolve()
  })
  await promise
})

t.test('Node: HTTP ends a connection by socket.destroySoon', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  await send(t, GET, ({ socket }, response) => {
    const destroySoon = socket.destroySoon.bind(socket)
    socket.destroySoon = () => {
      resolve()
      destroySoon()
    }
    response.setHeader('connection', 'close').end()
  })
  await promise
  t.pass('it was called')
})

t.test(
  'Node: an answer that may not be sent yet has no socket, and emits `socket` when it may',
  async (t) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const responses: ServerResponse[] = []
    await send(t, GET + GET, (_request, response) => {
      responses.push(response)
      const [first, second] = responses
      if (second === undefined) return
      t.equal(second.socket, null)
      second.once('socket', () => resolve())
      first?.end()
    })
    await promise
    t.pass('it was emitted')
  },
)

t.test('Node: `shouldKeepAlive` decides `connection`, and `prefinish` comes before `finish`', async (t) => {
  const events: string[] = []
  const client = await send(t, GET, (_request, response) => {
    for (const event of ['prefinish', 'finish']) response.once(event, () => events.push(event))
    t.equal(response.shouldKeepAlive, true)
    response.shouldKeepAlive = false
    response.end()
  })
  const [answer] = await once(client, 'data')
  t.match(String(answer), /^connection: close\r$/im)
  await once(client, 'end')
  t.strictSame(events, ['prefinish', 'finish'])
})

t.test("Node: a listener can be closed past HTTP's own close", async (t) => {
  t.not(Server.prototype.close, HttpServer.prototype.close)
  t.ok(HttpServer.prototype instanceof Server)
})

t.test('Node: process.execve is there, and a tick is an object that async_hooks shows', async (t) => {
  t.type(process.execve, 'function')
  const resource = await new Promise<object>((resolve) => {
    process.nextTick(() => resolve(executionAsyncResource()))
  })
  t.ok('callback' in resource)
})

t.test('Fastify: requests reach it by one listener, which is app.routing', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.ready()
  t.ok(app.server.listeners('request').some((listener) => listener === app.routing))
})

t.test('Fastify: contexts inherit addHook from the application', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  t.ok(Object.hasOwn(app, 'addHook'))
  await app.register(async (child) => {
    t.notOk(Object.hasOwn(child, 'addHook'))
    t.equal(Object.getPrototypeOf(child), app)
  })
})

t.test('pg: a client tells what a request to cancel must name, and its stream can be corked', async (t) => {
  const client = new pg.Client()
  for (const name of ['processID', 'secretKey', 'ref', 'unref', 'getStartupConf', 'connection'])
    t.ok(name in client, `Client.${name}`)
  const connection = new pg.Connection({})
  for (const name of ['connect', 'requestSsl', 'cancel', 'stream'])
    t.ok(name in connection, `Connection.${name}`)
  t.type(connection.stream.cork, 'function')
})

t.test('prom-client: what is written is what getForPromString returns', async (t) => {
  class Own extends Histogram {
    async getForPromString() {
      const value = { metricName: 'own_count', labels: {}, sharedLabels: { kind: 'x' }, value: 7 }
      return { name: 'own', help: 'help', type: 'histogram', aggregator: 'sum', values: [value] }
    }
  }
  const registry = new Registry()
  new Own({ name: 'own', help: 'help', registers: [registry] })
  t.ok('getForPromString' in Histogram.prototype)
  t.match(await registry.metrics(), /^own_count\{kind="x"\} 7$/m)
})

t.test(
  'prom-client: the OpenMetrics format still renames counters, so open-metrics.ts must copy them',
  async (t) => {
    const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>()
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    const counter = new Counter({ name: 'things_total', help: 'help', registers: [registry] })
    await registry.metrics()
    t.match(counter, { name: 'things' })
  },
)
