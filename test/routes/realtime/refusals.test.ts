import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Message } from '#services/realtime/message.ts'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { Ear, openRaw, realtimeUrl, tokenOf } from '#test/support/realtime.ts'

/** Sends the request for a WebSocket and no more; returns the answer so far. */
async function handshake(
  t: Test,
  url: string,
  {
    path = '/realtime',
    version = '1.1',
    headers = {},
  }: { path?: string; version?: string; headers?: Record<string, string> } = {},
): Promise<{ socket: Socket; answer: string }> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined)
  const all = {
    ...{ host: hostname, upgrade: 'websocket', connection: 'Upgrade' },
    ...{ 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', ...headers },
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  socket.write([`GET ${path} HTTP/${version}`, ...lines, '', ''].join('\r\n'))
  const [first] = await once(socket, 'data')
  return { socket, answer: String(first) }
}

t.test('what is refused', async (t) => {
  const testApp = await createTestApp(t, {
    APP_CORS__ALLOWED_ORIGINS: 'https://app.example.com',
    APP_REALTIME__MAX_WAITING: '256KiB',
    APP_REALTIME__CONNECTIONS_PER_USER: '2',
    APP_REALTIME__CHANNELS_PER_CONNECTION: '2',
    APP_REALTIME__SUBSCRIPTIONS_PER_ORGANIZATION: '3',
  })
  const { app, request, signUp } = testApp
  const url = await realtimeUrl(app)
  const tenant = await createOrganization(app)
  const org = tenant.organization.id
  const channel = `organizations:${org}:projects`

  await t.test('before there is a WebSocket', async (t) => {
    const statusOf = async (options: Parameters<typeof handshake>[2]) =>
      (await handshake(t, url, options)).answer.split(' ')[1]
    t.equal(await statusOf({ headers: { origin: 'https://elsewhere.example' } }), '403')
    t.equal(await statusOf({ headers: { origin: 'null' } }), '403')
    t.equal(await statusOf({ headers: { origin: 'https://app.example.com' } }), '101')
    t.equal(await statusOf({}), '101', 'a program names none')
    t.equal(await statusOf({ path: '/realtime?token=abc' }), '400')
    t.equal(await statusOf({ headers: { 'sec-websocket-version': '99' } }), '400')
    t.equal(await statusOf({ headers: { host: 'a,b' } }), '400', 'as any other request')
    const offered = async (protocols: string) =>
      /^sec-websocket-protocol: (.+)\r$/im.exec(
        (await handshake(t, url, { headers: { 'sec-websocket-protocol': protocols } })).answer,
      )?.[1]
    t.equal(await offered('centrifuge-protobuf, centrifuge-json'), 'centrifuge-json')
    t.equal(await offered('centrifuge-protobuf'), 'centrifuge-protobuf', 'whose frames are refused')
    t.equal(await statusOf({ path: '/realtime/events' }), '401', 'nothing else is upgraded')
    t.equal(await statusOf({ version: '1.0' }), '426', 'HTTP/1.0 has no upgrades')
    const plain = await request({ url: '/realtime' })
    expectProblem(t, plain, { status: 426, code: 'upgrade_required' })
    t.match(plain.headers.connection, /upgrade.*close/, 'which ends the connection')
  })

  await t.test('a handshake that is not one', async (t) => {
    const wrong = [
      { 'sec-websocket-version': '99' },
      { 'sec-websocket-key': 'short' },
      { 'sec-websocket-protocol': 'a b' },
    ]
    for (const headers of wrong) {
      const { answer } = await handshake(t, url, {
        headers: { ...headers, 'x-request-id': 'the-id-of-this' },
      })
      const [head = '', body = ''] = answer.split('\r\n\r\n')
      t.match(head, /^HTTP\/1.1 400 /)
      t.match(head, /^content-type: application\/problem\+json/m)
      t.match(head, /^sec-websocket-version: 13, 8$/m)
      t.match(JSON.parse(body), {
        code: 'bad_request',
        request_id: 'the-id-of-this',
        detail: /Sec-WebSocket/,
      })
    }
  })

  await t.test('frames that are not the protocol', async (t) => {
    const token = tokenOf(await signUp())
    const connected = JSON.stringify({ id: 1, connect: { token } })
    const cases: Record<string, [(string | Buffer)[], number]> = {
      'no JSON': [['{'], 3501],
      'an empty frame': [[''], 3501],
      'a binary frame': [[Buffer.from(connected)], 3501],
      'another shape': [[JSON.stringify({ id: 1, connect: { token: 1 } })], 3501],
      'a command before it has connected': [[JSON.stringify({ id: 1, subscribe: { channel } })], 3501],
      'no token': [[JSON.stringify({ id: 1, connect: {} })], 3500],
      'a token of nobody': [[JSON.stringify({ id: 1, connect: { token: `${token}x` } })], 3500],
      'to connect twice': [[`${connected}\n${connected}`], 3501],
      'too many at once': [[Array.from({ length: 257 }, () => '{}').join('\n')], 3501],
      'too many after each other': [[connected, ...Array.from({ length: 1000 }, () => '{}')], 3013],
      'a frame that is too large': [[`{"id":1,"x":"${'x'.repeat(70_000)}"}`], 1009],
    }
    for (const [name, [frames, code]] of Object.entries(cases)) {
      const { ended } = await openRaw(t, url, frames)
      t.equal(await ended, code, name)
    }
  })

  await t.test('a token that has expired', async (t) => {
    const user = await signUp()
    const now = Date.now
    t.teardown(() => {
      Date.now = now
    })
    const { frames } = await openRaw(t, url, [])
    const raw = await openRaw(t, url, [])
    const old = tokenOf(user)
    Date.now = () => now() + 3_600_000
    raw.socket.send(JSON.stringify({ id: 1, connect: { token: old } }))
    t.match(await raw.reply(1), { id: 1, error: { code: 109 } })
    Date.now = now
    raw.socket.send(JSON.stringify({ id: 2, connect: { token: old } }))
    t.match(await raw.reply(2), { id: 2, connect: {} }, 'it may send another')
    t.same(frames, [])
  })

  await t.test('more than a user, a connection and an organization may have', async (t) => {
    const user = await tenant.add('member')
    const ears = [new Ear(t, url, tokenOf(user)), new Ear(t, url, tokenOf(user))]
    for (const ear of ears) await ear.ready()
    const third = new Ear(t, url, tokenOf(user))
    await eventually(async () => third.happened.includes('disconnected 3504'))
    const [ear, other] = ears
    // Beside the user's own.
    await ear?.to(channel)
    await ear?.to(`organizations:${org}`)
    t.same(ear?.happened, ['connecting 0', 'unsubscribed 106'])
    await other?.to(channel)
    const owner = new Ear(t, url, tokenOf(tenant.owner))
    await owner.to(channel)
    const last = new Ear(t, url, tokenOf(await tenant.add('member')))
    await last.to(channel)
    t.same(last.happened, ['connecting 0', 'unsubscribed 106'])
    for (const one of [...ears, owner, last]) one.client.disconnect()
    await eventually(async () => app.realtimeHub?.subscriptions === 0)
  })

  await t.test('a client that reads nothing ends, and nobody else', async (t) => {
    const healthy = new Ear(t, url, tokenOf(await tenant.add('member')))
    await healthy.to(channel)
    const token = tokenOf(await tenant.add('member'))
    const { socket } = await handshake(t, url)
    const frame = Buffer.from(
      `${JSON.stringify({ id: 1, connect: { token } })}\n${JSON.stringify({ id: 2, subscribe: { channel } })}`,
    )
    // A mask of zeros; the length is two bytes.
    socket.write(
      Buffer.concat([Buffer.from([0x81, 0xfe, frame.length >> 8, frame.length & 0xff, 0, 0, 0, 0]), frame]),
    )
    await eventually(async () => app.realtimeHub?.subscriptions === 4)
    socket.pause()
    const { id } = await tenant.createProject()
    await healthy.heard(channel, [id])
    let offset = healthy.told[0]?.offset ?? 0
    const data = JSON.stringify({
      type: 'projects.created',
      subject: { id: 'x' },
      padding: 'x'.repeat(60_000),
    })
    // Until it is more than the system takes on its way, and always after the other has read.
    while (app.realtimeHub?.subscriptions === 4) {
      app.realtimeHub.deliver([new Message({ channel, offset: ++offset, data })])
      await eventually(async () => healthy.told.at(-1)?.offset === offset)
    }
    t.equal(healthy.client.state, 'connected')
    const metric = await app.metrics.getSingleMetric('realtime_connections_ended_total')?.get()
    t.match(
      metric?.values.filter(({ labels }) => labels['reason'] === 'slow'),
      [{ value: 1 }],
    )
  })

  await t.test('an instance that drains takes nobody, and sends its clients elsewhere', async (t) => {
    const ear = await new Ear(t, url, tokenOf(await signUp())).ready()
    app.drain()
    await eventually(async () => ear.happened.includes('connecting 3001'))
    t.match((await handshake(t, url)).answer, /^HTTP\/1.1 503 .*about to end/s)
  })
})

t.test('an instance whose place another has taken sends its clients there one after another', async (t) => {
  const { app, signUp } = await createTestApp(t, { APP_REALTIME__CONNECTIONS_PER_USER: '100' })
  const [url, token] = [await realtimeUrl(app), tokenOf(await signUp())]
  const connect = JSON.stringify({ id: 1, connect: { token } })
  const all = await Promise.all(Array.from({ length: 20 }, () => openRaw(t, url, [connect])))
  for (const raw of all) await raw.reply(1)
  app.retire(1000)
  t.equal(app.realtimeHub?.peers.size, 17, 'a part of them at once')
  for (const { ended } of all) t.equal(await ended, 3001)
})

t.test('a stream that an instance refuses because it ends is not in the objective', async (t) => {
  const { app, request, signUp } = await createTestApp(t)
  const as = await signUp()
  const counted = async () => {
    const metric = await app.metrics.getSingleMetric('http_request_duration_seconds')?.get()
    return metric?.values.filter(({ labels }) => labels['operation'] === 'streamRealtimeEvents') ?? []
  }
  const ask = (channels: string) => request({ url: `/realtime/events?channels=${channels}`, as })
  expectProblem(t, await ask('nonsense'), { status: 404, code: 'channel_not_found' })
  const before = await counted()
  t.ok(before.length > 0, 'other refusals are counted')
  app.drain()
  expectProblem(t, await ask(`user:${as.user.id}`), { status: 503, code: 'overloaded' })
  t.same(await counted(), before)
})

t.test('more handshakes than a network may send, whose other requests go on', async (t) => {
  const { app, db, request } = await createTestApp(t, {
    APP_RATE_LIMIT__ENABLED: 'true',
    APP_RATE_LIMIT__STORE: 'memory',
    APP_RATE_LIMIT__WINDOW: '1h',
    APP_RATE_LIMIT__PER_ADDRESS: '3',
  })
  const url = await realtimeUrl(app)
  for (let time = 0; time < 3; time++) t.match((await handshake(t, url)).answer, /^HTTP\/1.1 101 /)
  t.match((await handshake(t, url)).answer, /^HTTP\/1.1 429 .*retry-after: \d{4}\r\n.*"code":"rate_limited"/s)
  t.equal((await request({ url: '/realtime' })).statusCode, 426)
  const shared = { APP_RATE_LIMIT__STORE: 'postgres', APP_RATE_LIMIT__PER_ADDRESS: '1' }
  const settings = { APP_RATE_LIMIT__ENABLED: 'true', APP_RATE_LIMIT__WINDOW: '1h', ...shared }
  const other = await realtimeUrl(await startInstance(t, db, settings))
  t.match((await handshake(t, other)).answer, /^HTTP\/1.1 101 /, 'also where another is asked first')
  t.match((await handshake(t, other)).answer, /^HTTP\/1.1 429 /)
})

t.test('as many connections as there may be', async (t) => {
  const { app, db, logs } = await createTestApp(t, { APP_REALTIME__CONNECTIONS: '1' })
  const url = await realtimeUrl(app)
  await handshake(t, url)
  for (let time = 0; time < 5; time++)
    t.match((await handshake(t, url)).answer, /^HTTP\/1.1 503 .*retry-after: 5\r\n/s)
  const metric = await app.metrics.getSingleMetric('http_requests_refused_total')?.get()
  t.match(
    metric?.values.filter(({ labels }) => labels['reason'] === 'realtime_connections'),
    [{ labels: { stage: 'admission' }, value: 5 }],
    'they count as failures of the service',
  )
  await eventually(async () => logs().some(({ msg }) => msg === 'requests were refused'))
  t.same(
    logs().filter(({ msg, level }) => msg === 'request refused' && level !== 'debug'),
    [],
    'they are summed up',
  )
  const limited = await realtimeUrl(
    await startInstance(t, db, { APP_REALTIME__CONNECTIONS_PER_ADDRESS: '1' }),
  )
  const first = await handshake(t, limited)
  t.match((await handshake(t, limited)).answer, /^HTTP\/1.1 429 .*too_many_connections/s)
  first.socket.destroy()
  await eventually(async () => (await handshake(t, limited)).answer.startsWith('HTTP/1.1 101'))
})

t.test('without an engine', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t, {
    APP_REALTIME__ENGINE: 'none',
    APP_REALTIME__HISTORY: '5m',
  })
  const url = await realtimeUrl(app)
  t.match((await handshake(t, url)).answer, /^HTTP\/1.1 404 .*realtime_disabled/s)
  const user = await signUp()
  const answer = await request({ url: `/realtime/events?channels=user:${user.user.id}`, as: user })
  expectProblem(t, answer, { status: 404, code: 'realtime_disabled' })
  await eventually(
    async () => (await db.query('SELECT FROM events WHERE fanned_out_at IS NULL')).length === 0,
  )
  t.not((await db.query('SELECT FROM events WHERE realtime_at IS NULL')).length, 0, 'events wait')
})
