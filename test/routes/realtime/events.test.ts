import t, { type Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { eventually } from '#test/support/eventually.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp, type TestUser } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { published, realtimeUrl } from '#test/support/realtime.ts'

/** A stream of events as it comes. */
interface Stream {
  readonly status: number
  readonly type: string | null
  /** All text so far. */
  text(): string
  /** Whether the service has ended it. */
  isOver(): boolean
  /** The last event's id. */
  lastId(): string
  end(): void
}

async function listen(
  t: Test,
  url: string,
  as: Pick<TestUser, 'headers'>,
  lastEventId?: string,
): Promise<Stream> {
  const leaving = new AbortController()
  t.teardown(() => leaving.abort())
  const headers = { ...as.headers, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) }
  const response = await fetch(url, { headers, signal: leaving.signal })
  let text = ''
  let isOver = false
  void (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true })
    isOver = true
  })().catch(() => undefined)
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    text: () => text,
    isOver: () => isOver,
    lastId: () => [...text.matchAll(/^id: (.+)$/gm)].at(-1)?.[1] ?? '',
    end: () => leaving.abort(),
  }
}

/** Ids of what the messages of a stream are about. */
const subjectsOf = (stream: Stream): string[] =>
  [...stream.text().matchAll(/^data: (\{"channel".+\})$/gm)].map(
    ([, data = '']) => JSON.parse(data).data.subject.id,
  )

t.test('events by a stream', async (t) => {
  const one = await createTestApp(t)
  const other = await startInstance(t, one.db, { APP_ROLE: 'web' })
  const base = (await realtimeUrl(other)).replace('ws:', 'http:')
  const tenant = await createOrganization(one.app)
  const org = tenant.organization.id
  const url = `${base}/events?channels=organizations:${org}:projects,organizations:${org}`
  const create = async () => (await tenant.createProject()).id

  await t.test('come, and after a loss from where it was', async (t) => {
    const as = await tenant.add('member')
    const first = await listen(t, url, as)
    t.equal(first.status, 200)
    t.equal(first.type, 'text/event-stream; charset=utf-8')
    await eventually(async () => first.text().includes('event: ready'))
    t.match(first.text(), /"reload":\[\]/)
    const ids = [await create(), await create()]
    await eventually(async () => subjectsOf(first).length === 2)
    first.end()
    ids.push(await create(), await create())
    await published(one.db)
    const second = await listen(t, url, as, first.lastId())
    ids.push(await create())
    await eventually(async () => subjectsOf(second).length === 3)
    t.same([...subjectsOf(first), ...subjectsOf(second)], ids)
    t.match(second.text(), /"reload":\[\]/)
  })

  await t.test('a place that is unknown means to load again', async (t) => {
    const unknown = crypto.randomUUID()
    for (const place of ['nonsense', `${unknown}.1.1`, `${unknown}.1.1~0`, `${unknown}.1`]) {
      const stream = await listen(t, url, tenant.owner, place)
      await eventually(async () => stream.text().includes('event: ready'))
      t.match(stream.text(), `"reload":["organizations:${org}:projects","organizations:${org}"]`)
      stream.end()
    }
  })

  await t.test('a place in other channels is one of them', async (t) => {
    const channels = [`organizations:${org}:projects`, `organizations:${org}`]
    const first = await listen(t, url, tenant.owner)
    await eventually(async () => first.text().includes('event: ready'))
    await create()
    await eventually(async () => subjectsOf(first).length === 1)
    first.end()
    const swapped = channels.toReversed()
    for (const others of [swapped, [`organizations:${org}:files`, `organizations:${org}`]]) {
      const stream = await listen(t, `${base}/events?channels=${others}`, tenant.owner, first.lastId())
      await eventually(async () => stream.text().includes('event: ready'))
      t.match(stream.text(), `"reload":${JSON.stringify(others)}`)
      stream.end()
    }
  })

  await t.test('for those who may hear all of it', async (t) => {
    const stranger = await one.signUp()
    const ask = (channels: string, as?: TestUser) =>
      one.request({ url: `/realtime/events?channels=${channels}`, ...(as ? { as } : {}) })
    const notFound = { status: 404, code: 'channel_not_found' }
    expectProblem(t, await ask(`user:${stranger.user.id},organizations:${org}`, stranger), notFound)
    expectProblem(t, await ask('nothing', stranger), notFound)
    expectProblem(t, await ask(`organizations:${org}`), { status: 401, code: 'unauthenticated' })
    expectProblem(t, await ask('', stranger), { status: 400, code: 'validation_failed' })
    // No scope lets a key read the organization itself.
    const key = await tenant.createApiKey()
    const byKey = { url: `/realtime/events?channels=organizations:${org}`, headers: key.headers }
    expectProblem(t, await one.request(byKey), notFound)
    await eventually(async () => one.app.realtimeHub?.peers.size === 0)
  })

  await t.test('or only its head, which nobody waits for', async (t) => {
    const head = (channels: string) =>
      fetch(`${base}/events?channels=${channels}`, { method: 'HEAD', headers: tenant.owner.headers })
    const own = `organizations:${org}`
    t.match(await head(own), { status: 200 })
    t.equal((await head(own)).headers.get('content-type'), 'text/event-stream; charset=utf-8')
    t.equal((await head(`${own},organizations:${uuidv7()}`)).status, 404)
  })

  await t.test('that what stands between may neither keep back nor compress', async (t) => {
    const leaving = new AbortController()
    const { headers } = await fetch(url, { headers: tenant.owner.headers, signal: leaving.signal })
    t.equal(headers.get('cache-control'), 'no-store, no-transform')
    t.equal(headers.get('x-accel-buffering'), 'no')
    leaving.abort()
  })

  await t.test('for an API key, until it is revoked', async (t) => {
    const key = await tenant.createApiKey({ scopes: ['projects:read'] })
    const stream = await listen(t, `${base}/events?channels=organizations:${org}:projects`, key)
    await eventually(async () => stream.text().includes('event: ready'))
    const id = await create()
    await eventually(async () => subjectsOf(stream).includes(id))
    await one.request({ method: 'DELETE', url: `${tenant.url}/api-keys/${key.id}`, as: tenant.owner })
    await eventually(async () => stream.isOver())
  })

  await t.test('until the session or the membership ends', async (t) => {
    const [leaving, removed] = [await tenant.add('member'), await tenant.add('member')]
    const streams = [await listen(t, url, leaving), await listen(t, url, removed)]
    for (const stream of streams) await eventually(async () => stream.text().includes('event: ready'))
    await one.request({ method: 'POST', url: '/api/v1/auth/logout', as: leaving })
    const membership = `${tenant.url}/members/${removed.user.id}`
    await one.request({ method: 'DELETE', url: membership, as: tenant.owner })
    for (const stream of streams) await eventually(async () => stream.isOver())
    t.equal((await listen(t, url, removed)).status, 404)
  })

  await t.test(
    'until the member is removed, also from what is not in it, and goes on elsewhere',
    async (t) => {
      const removed = await tenant.add('member')
      const own = `${base}/events?channels=user:${removed.user.id}`
      const stream = await listen(t, own, removed)
      await eventually(async () => stream.text().includes('event: ready'))
      const membership = `${tenant.url}/members/${removed.user.id}`
      await one.request({ method: 'DELETE', url: membership, as: tenant.owner })
      await eventually(async () => stream.isOver())
      const payload = { username: `u${crypto.randomUUID().slice(-12)}` }
      await one.request({ method: 'PATCH', url: '/api/v1/users/me', payload, as: removed })
      const next = await listen(t, own, removed, stream.lastId())
      await eventually(async () => next.text().includes('"type":"users.updated"'))
      t.match(next.text(), /"reload":\[\]/)
      const told = (stream.text() + next.text()).split('"type":"members.removed"').length - 1
      t.equal(told, 1, 'it is told why, before the end or after it')
    },
  )

  await t.test('is not counted among what should be fast', async (t) => {
    const { headers } = await other.inject('/metrics')
    t.ok(headers)
    const { body } = await other.inject('/metrics')
    t.notMatch(body, /operation="streamRealtimeEvents",status_code="200"/)
    t.match(body, /^realtime_deliveries_total [1-9]/m)
  })

  await t.test('ends with the instance', async (t) => {
    const stream = await listen(t, url, tenant.owner)
    await eventually(async () => stream.text().includes('event: ready'))
    await other.close()
    await eventually(async () => stream.isOver())
  })
})
