import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { borrowTestApp } from '#test/support/borrow.ts'
import { type ClusterStandIn, startClusterStandIn } from '#test/support/cluster-stand-in.ts'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { published, tokenOf } from '#test/support/realtime.ts'

const SECRET = 'the secret of a test, which is long enough'
const RECHECK_S = 3600
const ENDED = { disconnect: { code: 3500, reason: 'session ended' } }
const INVALID = { disconnect: { code: 3500, reason: 'invalid token' } }
const EXPIRED = { disconnect: { code: 3005, reason: 'connection expired' } }
const DENIED = { error: { code: 103, message: 'permission denied' } }

const settingsOf = ({ url, key }: ClusterStandIn) => ({
  APP_REALTIME__ENGINE: 'centrifugo',
  APP_REALTIME__CENTRIFUGO__URL: url,
  APP_REALTIME__CENTRIFUGO__API_KEY: key,
  APP_REALTIME__CENTRIFUGO__PROXY_SECRET: SECRET,
})

t.test('what a Centrifugo cluster asks about its clients', async (t) => {
  const cluster = await startClusterStandIn(t)
  const one = await createTestApp(t, {
    ...settingsOf(cluster),
    APP_REALTIME__CENTRIFUGO__RECHECK: `${RECHECK_S}s`,
    APP_SERVER__TRUSTED_PROXIES: 'loopback',
  })
  const { app, db, request, signUp } = one
  const tenant = await createOrganization(app)
  const projects = `organizations:${tenant.organization.id}:projects`
  const files = `organizations:${tenant.organization.id}:files`

  /** Asks as the cluster does, which passes on where the client is. */
  const send = (route: string, payload: object, headers: Record<string, string> = {}) =>
    request({
      ...{ method: 'POST', url: `/realtime/centrifugo/${route}`, payload },
      headers: { 'x-centrifugo-secret': SECRET, 'x-forwarded-for': '192.0.2.7', ...headers },
    })
  const ask = async (route: string, payload: object) => (await send(route, payload)).json()
  const connect = (token: string) => ask('connect', { client: 'c', transport: 'websocket', data: { token } })
  const metaOf = ({ session_id: session }: { session_id: string }) => ({
    ...{ kind: 'user', session, address: '192.0.2.7' },
  })
  const isNext = (seconds: number) => Math.abs(seconds - RECHECK_S - Date.now() / 1000) < 600

  // Somebody whose session ends before the cluster knows the connection; it is looked again half a second later.
  const early = await signUp()
  t.match(await connect(tokenOf(early)), { result: { user: early.user.id } })
  await db.query('UPDATE sessions SET ended_at = now() WHERE id = $1', [early.session_id])

  await t.test('is answered to nobody else', async (t) => {
    const user = await signUp()
    const meta = metaOf(user)
    const channel = `user:${user.user.id}`
    const payloads = {
      connect: {},
      refresh: { meta },
      subscribe: { meta, channel },
      'sub-refresh': { meta, channel },
    }
    for (const [route, payload] of Object.entries(payloads)) {
      for (const secret of ['', 'a guess', `${SECRET} `, SECRET.slice(1)]) {
        const answer = await send(route, payload, { 'x-centrifugo-secret': secret, ...user.headers })
        expectProblem(t, answer, { status: 401, code: 'unauthenticated' })
      }
      const wrong = { meta: { ...meta, session: 'x' }, channel }
      if (route !== 'connect')
        expectProblem(t, await send(route, wrong), { status: 400, code: 'validation_failed' })
      t.equal((await send(route, payload)).statusCode, 200, route)
    }
  })

  await t.test('who a user is, and what they hear without asking', async (t) => {
    const user = await signUp()
    const { result, ...rest } = await connect(tokenOf(user))
    const { expire_at, ...known } = result
    t.strictSame(rest, {})
    const { id } = user.user
    t.strictSame(known, { user: id, channels: [`user:${id}`], meta: metaOf(user) })
    t.ok(isNext(expire_at))
    for (const data of [undefined, {}, { token: '' }, { token: 'x' }, { token: 1 }])
      t.strictSame(await ask('connect', { data }), INVALID)
  })

  await t.test('who an API key is', async (t) => {
    const key = await tenant.createApiKey({ allowed_networks: ['192.0.2.0/24'] })
    const meta = { kind: 'api_key', org: tenant.organization.id, key: key.id, address: '192.0.2.7' }
    const { expire_at, ...known } = (await connect(tokenOf(key))).result
    t.strictSame(known, { user: `api_key:${key.id}`, channels: [], meta })
    t.ok(isNext(expire_at))
    t.match(await ask('refresh', { meta }), { result: {} })
    t.strictSame(
      await ask('refresh', { meta: { ...meta, address: '198.51.100.1' } }),
      ENDED,
      'from elsewhere',
    )
    t.strictSame(await ask('refresh', { meta: { ...meta, key: uuidv7() } }), ENDED)
    t.match(await ask('subscribe', { meta, channel: projects }), { result: {} })
    const elsewhere = await tenant.createApiKey({ allowed_networks: ['198.51.100.0/24'] })
    t.strictSame(await connect(tokenOf(elsewhere)), INVALID)
    // Nobody tells of it, so what is remembered says otherwise.
    await tenant.expire(key.id)
    t.strictSame(await ask('refresh', { meta }), ENDED)
  })

  await t.test('a token that is no longer valid', async (t) => {
    const user = await signUp()
    const [token, now] = [tokenOf(user), Date.now]
    t.intercept(Date, 'now', { value: () => now() + 3_600_000 })
    t.strictSame(await connect(token), EXPIRED)
    t.intercept(Date, 'now', { value: now })
    await request({ method: 'POST', url: '/api/v1/auth/logout', as: user })
    t.strictSame(await connect(token), ENDED)
    const unheard = await signUp()
    t.match(await connect(tokenOf(unheard)), { result: {} }, 'it is known from now on')
    await db.query('UPDATE sessions SET ended_at = now() WHERE id = $1', [unheard.session_id])
    t.strictSame(await connect(tokenOf(unheard)), ENDED, 'what is remembered does not count')
    t.strictSame(await ask('refresh', { meta: metaOf(unheard) }), ENDED)
    t.strictSame(await ask('subscribe', { meta: metaOf(unheard), channel: projects }), DENIED)
  })

  await t.test('what somebody may hear, and whether they still may', async (t) => {
    const member = await tenant.add('member')
    const meta = metaOf(member)
    const subscribe = (channel: string, data?: object) => ask('subscribe', { meta, channel, data })
    const flags = (presence: boolean, notices: boolean) => ({
      presence: { value: presence },
      join_leave: { value: presence },
      force_push_join_leave: { value: notices },
    })
    const { expire_at, override } = (await subscribe(projects)).result
    t.ok(isNext(expire_at))
    t.strictSame(override, flags(true, false))
    const wants = { join_leave: true }
    t.strictSame((await subscribe(projects, wants)).result.override, flags(true, true))
    t.strictSame((await subscribe(projects, { join_leave: 1 })).result.override, flags(true, false))
    t.strictSame((await subscribe(files, wants)).result.override, flags(false, false), 'without presence')
    for (const channel of [`user:${tenant.owner.user.id}`, `organizations:${uuidv7()}:projects`, 'nothing'])
      t.strictSame(await subscribe(channel), DENIED, channel)

    const again = () => ask('sub-refresh', { meta, channel: projects })
    const { result } = await again()
    t.strictSame(Object.keys(result), ['expire_at'])
    t.ok(isNext(result.expire_at))
    const { result: refreshed } = await ask('refresh', { meta })
    t.strictSame(Object.keys(refreshed), ['expire_at'])
    t.ok(isNext(refreshed.expire_at))
    await db.query('DELETE FROM memberships WHERE user_id = $1', [member.user.id])
    t.strictSame(await again(), { result: { expired: true } }, 'nobody told of it')
    t.strictSame(await subscribe(projects), DENIED)
  })

  await t.test('is asked again when it cannot be found out', async (t) => {
    const user = await signUp()
    await db.query('ALTER TABLE sessions RENAME TO away')
    t.teardown(() => db.query('ALTER TABLE away RENAME TO sessions'))
    const answer = await ask('refresh', { meta: metaOf(user) })
    t.strictSame(answer, { error: { code: 100, message: 'internal server error', temporary: true } })
    t.ok(one.logs().some(({ msg, level }) => msg === 'could not answer Centrifugo' && level === 'warn'))
  })

  await t.test('who listens is what the cluster says', async (t) => {
    cluster.on('presence_stats', { result: { num_clients: 1, num_users: 1 } })
    const { id } = await tenant.createApiKey()
    cluster.on('presence', { result: { presence: { c: { client: 'c', user: `api_key:${id}` } } } })
    const url = `${tenant.url}/presence?channel=${projects}`
    const answer = await request({ url, as: tenant.owner })
    t.match(answer.json(), { client_count: 1, clients: [{ id: 'c', user_id: null, api_key_id: id }] })
  })

  await t.test('events are told by it, whose state is a metric', async (t) => {
    const { id } = await tenant.createProject()
    await published(db)
    const told = cluster.batches().flat()
    t.ok(told.some((command) => JSON.stringify(command).includes(id)))
    t.match((await app.inject('/metrics')).body, /^realtime_centrifugo_up 1$/m)
  })

  await t.test('who was let in too early is ended', async (t) => {
    const end = { disconnect: { user: early.user.id, disconnect: { code: 4000, reason: 'rights changed' } } }
    await eventually(async () =>
      cluster.batches().some(([first]) => JSON.stringify(first) === JSON.stringify(end)),
    )
    const others = cluster.batches().filter(([first]) => JSON.stringify(first) === JSON.stringify(end))
    t.equal(others.length, 1)
  })
})

t.test('with another engine there are no such routes', async (t) => {
  const { request } = await borrowTestApp(t)
  const answer = await request({ method: 'POST', url: '/realtime/centrifugo/connect', payload: {} })
  t.equal(answer.statusCode, 404)
})

t.test('a process that only serves asks for no signs of life', async (t) => {
  const cluster = await startClusterStandIn(t)
  const { app } = await createTestApp(t, { ...settingsOf(cluster), APP_ROLE: 'web' })
  const { body } = await app.inject('/metrics')
  t.match(body, /^process_/m)
  t.notMatch(body, /realtime_centrifugo_up/)
  t.strictSame(cluster.received, [])
})
