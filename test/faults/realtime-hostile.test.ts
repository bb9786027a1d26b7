import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Message } from '#services/realtime/message.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { Ear, openRaw, realtimeUrl, tokenOf } from '#test/support/realtime.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'

t.setTimeout(1_200_000)

/** Opens a WebSocket by hand; nothing reads what comes, and frames are sent as they are. */
async function openBare(t: Test, url: string): Promise<Socket> {
  const { hostname, port, pathname } = new URL(url)
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined)
  const head = ['host: x', 'upgrade: websocket', 'connection: Upgrade', 'sec-websocket-version: 13']
  socket.write(
    [`GET ${pathname} HTTP/1.1`, ...head, 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==', '', ''].join('\r\n'),
  )
  await once(socket, 'data')
  return socket
}

/** A frame of the client, with a mask of zeros. */
function frameOf(opcode: number, payload: Buffer): Buffer {
  const { length } = payload
  const head = length < 126 ? [opcode, 0x80 | length] : [opcode, 0xfe, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload])
}

t.test('a network that swallows everything', async (t) => {
  const { app } = await createTestApp(t, { APP_REALTIME__PING_INTERVAL: '4s' })
  const url = await realtimeUrl(app)
  const tenant = await createOrganization(app)
  const channel = `organizations:${tenant.organization.id}:projects`
  const healthy = new Ear(t, url, tokenOf(await tenant.add('member')))
  await healthy.to(channel)
  const proxy = await startProxy(t, url.replace('ws:', 'http:'))
  const { port } = new URL(proxy.url)
  const lost: Ear[] = []
  for (let index = 0; index < 5; index++) {
    const ear = new Ear(t, `ws://127.0.0.1:${port}/realtime`, tokenOf(await tenant.add('member')))
    await ear.to(channel)
    lost.push(ear)
  }
  proxy.hang()
  await eventually(async () => app.realtimeHub?.peers.size === 1, 60)
  const metric = await app.metrics.getSingleMetric('realtime_connections_ended_total')?.get()
  const ended = metric?.values.filter(({ value }) => value > 0).map(({ labels }) => labels['reason'])
  t.same(ended, ['no_pong'])
  for (const { client } of lost) client.disconnect()
  const { id } = await tenant.createProject()
  t.ok(await healthy.heard(channel, [id]))
  t.equal(healthy.client.state, 'connected')
})

t.test('hostile and unlucky clients', async (t) => {
  const one = await createTestApp(t, { APP_REALTIME__MAX_WAITING: '256KiB' })
  const { app } = one
  const url = await realtimeUrl(app)
  const tenant = await createOrganization(app)
  const channel = `organizations:${tenant.organization.id}:projects`
  const healthy = new Ear(t, url, tokenOf(await tenant.add('member')))
  await healthy.to(channel)
  const hub = () => {
    if (app.realtimeHub === undefined) throw new Error('there is no hub')
    return app.realtimeHub
  }
  const endedBy = async (reason: string) => {
    const metric = await app.metrics.getSingleMetric('realtime_connections_ended_total')?.get()
    const values = metric?.values.filter(({ labels }) => labels['reason'] === reason) ?? []
    return values.reduce((sum, { value }) => sum + value, 0)
  }
  const stillHears = async () => {
    const { id } = await tenant.createProject()
    await eventually(async () => healthy.told.some(({ subject }) => subject === id))
    return healthy.client.state === 'connected'
  }

  await t.test('a hundred clients that never read', async (t) => {
    const token = tokenOf(await tenant.add('member'))
    const other = tokenOf(await tenant.add('member'))
    const before = await endedBy('slow')
    for (let index = 0; index < 100; index++) {
      const socket = await openBare(t, url)
      socket.pause()
      const commands = [
        JSON.stringify({ id: 1, connect: { token: index < 50 ? token : other } }),
        JSON.stringify({ id: 2, subscribe: { channel } }),
      ]
      socket.write(frameOf(0x81, Buffer.from(commands.join('\n'))))
    }
    // Each has its user's own channel, too.
    const subscriptions = 2 + 100 * 2
    await eventually(async () => hub().subscriptions === subscriptions)
    t.ok(await stillHears())
    let offset = healthy.told.at(-1)?.offset ?? 0
    const data = JSON.stringify({ type: 'x', subject: { id: 'x' }, padding: 'x'.repeat(60_000) })
    while ((await endedBy('slow')) < before + 100) {
      hub().deliver([new Message({ channel, offset: ++offset, data })])
      await eventually(async () => healthy.told.at(-1)?.offset === offset)
    }
    t.equal(hub().peers.size, 1)
    t.equal(healthy.client.state, 'connected')
  })

  await t.test('half of a handshake, many times', async (t) => {
    for (let index = 0; index < 500; index++) {
      const { hostname, port } = new URL(url)
      const socket = connect(Number(port), hostname)
      t.teardown(() => socket.destroy())
      socket.on('error', () => undefined)
      socket.write('GET /realtime HTTP/1.1\r\nupgrade: websocket\r\nconnection: Upgr')
    }
    t.equal(hub().peers.size, 1, 'none of them is a client')
    const ear = new Ear(t, url, tokenOf(await tenant.add('member')))
    await ear.to(channel)
    t.equal(hub().peers.size, 2, 'and others get in')
    ear.client.disconnect()
  })

  await t.test('a message in very many parts', async (t) => {
    for (const part of ['', 'x']) {
      const socket = await openBare(t, url)
      socket.resume()
      const closed = once(socket, 'close')
      socket.write(frameOf(0x01, Buffer.from(part)))
      const more = frameOf(0x00, Buffer.from(part))
      while (!socket.destroyed) {
        socket.write(Buffer.concat(Array.from({ length: 100 }, () => more)))
        await new Promise((resolve) => setImmediate(resolve))
      }
      await closed
      t.pass('it is ended')
    }
    await eventually(async () => hub().peers.size === 1)
  })

  await t.test('a client that does not close', async (t) => {
    const user = await tenant.add('member')
    const token = tokenOf(user)
    const raw = await openRaw(t, url, [JSON.stringify({ id: 1, connect: { token } })])
    await raw.reply(1)
    raw.socket.pause()
    await one.request({ method: 'POST', url: '/api/v1/auth/logout', as: user })
    await eventually(async () => hub().peers.size === 1)
    t.equal(healthy.client.state, 'connected')
  })
})
