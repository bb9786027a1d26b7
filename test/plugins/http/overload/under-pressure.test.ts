import { setImmediate as turn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp, type TestApp } from '#test/support/helper.ts'

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Keeps the event loop from turning for some time, again and again until it is noticed, which is once a second. */
async function overload(app: FastifyInstance, attempts = 100): Promise<void> {
  for (let attempt = 1; !app.isUnderPressure(); attempt++) {
    if (attempt > attempts) throw new Error('the delay of the event loop went unnoticed')
    // Asleep, because a loop that counts would take the processor from the other tests.
    Atomics.wait(sleeper, 0, 0, 400)
    await turn()
  }
}

async function isShed(t: Test, { app, request }: TestApp): Promise<void> {
  for (const url of ['/api/v1/users/me', '/nothing', '/docs/json']) {
    // A busy machine may have taken a second for the request before, and the pressure is forgotten.
    await overload(app)
    const response = await request({ url })
    t.equal(response.statusCode, 503, url)
    t.match(response.json(), { code: 'overloaded', status: 503 })
    t.equal(response.headers['retry-after'], '7')
  }
  for (const url of ['/live', '/ready', '/health', '/metrics']) {
    t.equal((await request({ url })).statusCode, 200, `${url} is answered`)
    t.equal((await request({ method: 'HEAD', url })).statusCode, 200, `HEAD ${url} too`)
  }
}

t.test('an event loop that is late', async (t) => {
  const test = await borrowTestApp(t, {
    APP_PRESSURE__MAX_EVENT_LOOP_DELAY: '100ms',
    APP_PRESSURE__RETRY_AFTER: '7s',
  })
  const isServed = async () => (await test.request({ url: '/api/v1/users/me' })).statusCode === 401
  // The start itself keeps the loop busy.
  await eventually(isServed)
  await isShed(t, test)
  await eventually(isServed)
  t.equal(
    test.logs().find(({ status, level }) => status === 503 && level !== 'debug'),
    undefined,
    'no line for each',
  )
  await eventually(async () => test.logs().some(({ msg }) => msg === 'requests were refused'))
  t.match(
    test.logs().find(({ msg }) => msg === 'requests were refused'),
    { level: 'error', reasons: { overloaded: Number }, pressure: { heap_used_bytes: Number } },
  )
})

t.test('the start is not taken for an overload', async (t) => {
  const { app } = await createTestApp(t, { APP_PRESSURE__MAX_EVENT_LOOP_DELAY: '100ms' })
  await overload(app)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.equal((await fetch(`${url}/api/v1/users/me`)).status, 401)
  await eventually(async () => {
    await overload(app)
    return (await fetch(`${url}/api/v1/users/me`)).status === 503
  })
})

t.test('a heap that is nearly full', async (t) => {
  const test = await borrowTestApp(t, {
    APP_PRESSURE__MAX_HEAP_UTILIZATION: '0.0001',
    APP_PRESSURE__MAX_EVENT_LOOP_DELAY: '0ms',
    APP_PRESSURE__RETRY_AFTER: '7s',
  })
  await eventually(async () => test.app.isUnderPressure())
  await isShed(t, test)
})

t.test('switched off', async (t) => {
  const { app, request } = await borrowTestApp(t, {
    APP_PRESSURE__MAX_HEAP_UTILIZATION: '1',
    APP_PRESSURE__MAX_EVENT_LOOP_DELAY: '0ms',
    APP_PRESSURE__MAX_EVENT_LOOP_UTILIZATION: '1',
  })
  await t.rejects(
    overload(app, 6).then(() => undefined),
    /unnoticed/,
  )
  t.equal((await request({ url: '/api/v1/users/me' })).statusCode, 401)
})
