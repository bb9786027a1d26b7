import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { DatabaseUnavailable } from '#lib/database/errors.ts'
import { createTestApp } from '#test/support/helper.ts'

class Broken extends Error {
  override name = 'Broken'
  readonly statusCode: number | undefined
  constructor(message: string, statusCode?: number, options?: ErrorOptions) {
    super(message, options)
    this.statusCode = statusCode
  }
}

/** A thrown value without a stack becomes the cause of an error that has one. */
function notAnError(type: string, message?: string) {
  return { type: 'ServiceError', cause: { type, ...(message === undefined ? {} : { message }) } }
}

/** Errors of a handler, and the parts that the client and the log get. */
const THROWN: [name: string, thrown: () => unknown, status: number, code: string, logged: object][] = [
  ['an error', () => new Broken('SELECT inner FROM secrets'), 500, 'internal_error', { type: 'Broken' }],
  [
    'an error that claims a status',
    () => new Broken('inner', 418),
    500,
    'internal_error',
    { type: 'Broken' },
  ],
  [
    'an error with a cause',
    () => new Broken('inner', undefined, { cause: new RangeError('inner cause') }),
    500,
    'internal_error',
    { message: 'inner', cause: { type: 'RangeError', message: 'inner cause' } },
  ],
  ['a text', () => 'inner', 500, 'internal_error', notAnError('string', 'inner')],
  ['an object', () => ({ statusCode: 400, message: 'inner' }), 500, 'internal_error', notAnError('object')],
  ['null', () => null, 500, 'internal_error', notAnError('object', 'null')],
  ['a number', () => 404, 500, 'internal_error', notAnError('number', '404')],
  [
    "Node's own",
    () => Object.assign(new Error('inner'), { code: 'ENOENT', path: '/etc/inner' }),
    500,
    'internal_error',
    { code: 'ENOENT' },
  ],
  [
    "a library's, with a status",
    () => Object.assign(new Error('inner'), { code: 'ELIB', statusCode: 404 }),
    500,
    'internal_error',
    { code: 'ELIB' },
  ],
  [
    "the framework's, at our fault",
    () => Object.assign(new Error('inner'), { code: 'FST_ERR_INNER', statusCode: 500 }),
    500,
    'internal_error',
    { code: 'FST_ERR_INNER' },
  ],
  [
    'one of ours',
    () => new DatabaseUnavailable({ retryAfter: 7, cause: new Broken('inner') }),
    503,
    'database_unavailable',
    { type: 'Broken', message: 'inner' },
  ],
]

t.test('errors of a handler', async (t) => {
  const { app, request, logs } = await createTestApp(t, {}, async (instance) => {
    for (const [index, [, thrown]] of THROWN.entries()) {
      const options = { schema: { hide: true } }
      instance.get(`/throws/${index}`, options, async () => Promise.reject(thrown()))
      instance.get(`/later/${index}`, options, async () => {
        await sleep(1)
        throw thrown()
      })
      instance.get(`/sends/${index}`, options, (_request, reply) => {
        const error = thrown()
        reply.send(error instanceof Error ? error : new Broken('inner'))
      })
    }
    const integer = { type: 'object', properties: { number: { type: 'integer' } } }
    const schema = { hide: true, response: { 200: integer } }
    instance.get('/wrong-answer', { schema }, async () => ({ number: 'inner' }))
  })

  for (const [index, [name, , status, code, logged]] of THROWN.entries()) {
    for (const way of ['throws', 'later']) {
      t.test(`${name}: ${way}`, async (t) => {
        const response = await request({ url: `/${way}/${index}` })
        t.equal(response.statusCode, status)
        t.match(response.json(), { code, status, request_id: response.headers['x-request-id'] })
        t.notMatch(response.body, /inner|secrets|Broken|\.ts/, 'nothing of the cause')
        const line = logs().find((entry) => entry['request_id'] === response.headers['x-request-id'])
        // One refusal a second is logged in full; plugins/refusals.test.ts says more.
        if (status === 503 && line?.['level'] === 'debug') return
        t.match(line, { level: 'error', status, msg: 'request failed', err: logged })
        t.match(line, { err: { stack: String } })
      })
    }
  }

  t.test('retry-after is passed on', async (t) => {
    const index = THROWN.findIndex(([name]) => name === 'one of ours')
    t.equal((await request({ url: `/throws/${index}` })).headers['retry-after'], '7')
  })

  t.test('an error that is sent is as one that is thrown', async (t) => {
    const { statusCode, body } = await request({ url: '/sends/0' })
    t.equal(statusCode, 500)
    t.notMatch(body, /inner/)
  })

  t.test('an answer that does not fit its schema is our fault', async (t) => {
    const { statusCode, body } = await request({ url: '/wrong-answer' })
    t.equal(statusCode, 500)
    t.match(JSON.parse(body), { code: 'internal_error' })
    t.notMatch(body, /inner|integer/)
  })

  t.test('every problem has its media type and is not cached', async (t) => {
    const { headers } = await app.inject('/nothing')
    t.match(headers, {
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
    })
  })
})
