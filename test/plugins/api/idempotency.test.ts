import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsync } from 'fastify'
import t, { type Test } from 'tap'
import { transaction } from '#lib/database/database.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { holdTransaction, waiting } from '#test/support/locks.ts'

const Made = Type.Object({ id: Type.String() })

/** Routes of the test's own: one that keeps what it has made, and one that breaks the rule. */
const routes: FastifyPluginAsync = async (app) => {
  app.post<{ Params: { id: string }; Body: { fail?: boolean } }>(
    '/things/:id',
    {
      config: { access: 'public', idempotent: true },
      schema: { operationId: 'createThing', response: { 202: Made } },
    },
    async ({ params, body }, reply) =>
      reply.sendOnce(async (ctx) => {
        // Joins the transaction, where there is one.
        await transaction(ctx, (tx) =>
          tx.db.query({ name: 'insertThing', text: 'INSERT INTO things VALUES ($1)', values: [params.id] }),
        )
        if (body.fail) throw new Error('after the effect')
        return { status: 202, body: { id: params.id } }
      }),
  )
  app.post(
    '/forgetful',
    {
      config: { access: 'public', idempotent: true },
      schema: { operationId: 'createForgetful', response: { 200: Made } },
    },
    async () => ({ id: '1' }),
  )
}

async function start(t: Test) {
  const { app, db, logs } = await createTestApp(t, {}, routes)
  await db.query('CREATE TABLE things (id text)')
  const send = (key: string, { id = '1', payload = {} }: { id?: string; payload?: object } = {}) =>
    app.inject({ method: 'POST', url: `/things/${id}`, payload, headers: { 'idempotency-key': key } })
  return { app, db, logs, send, things: () => db.query('SELECT id FROM things ORDER BY id') }
}

t.test('a key is 1 to 255 visible ASCII characters, in quotes or not', async (t) => {
  const { send, things } = await start(t)
  const long = 'k'.repeat(255)
  for (const key of ['k', '"quoted"', long, `"${long.slice(1)}!"`, "~!#$%&'()*+,-./:;<=>?@[]^_`{|}"]) {
    t.equal((await send(key)).statusCode, 202, key)
  }
  const bad = [
    '',
    '""',
    '"',
    '"k',
    'k"',
    'a b',
    '"a b"',
    'a\\b',
    'a"b',
    'caf\u00e9',
    `${long}k`,
    `"${long}k"`,
  ]
  for (const key of [...bad, 'one, two']) {
    const refused = await send(key)
    expectProblem(t, refused, {
      status: 400,
      code: 'validation_failed',
      pointers: ['/headers/idempotency-key'],
    })
  }
  t.equal((await things()).length, 5)
})

t.test('the path is part of the request', async (t) => {
  const { send, things } = await start(t)
  await send('k', { id: '1' })
  expectProblem(t, await send('k', { id: '2' }), { status: 409, code: 'idempotency_key_reused' })
  t.same(await things(), [{ id: '1' }])
})

t.test('an error undoes the effect, and the next request works', async (t) => {
  const { db, send, things } = await start(t)
  expectProblem(t, await send('k', { payload: { fail: true } }), { status: 500, code: 'internal_error' })
  t.same(await things(), [])
  t.same(await db.query('SELECT id FROM idempotency_keys'), [])
  t.equal((await send('k')).statusCode, 202)
  t.same(await things(), [{ id: '1' }])
})

t.test('who comes while another works waits, and gets its answer', async (t) => {
  const { db, send, things } = await start(t)
  const held = await holdTransaction(t, db, 'LOCK TABLE things')
  const first = send('k')
  await waiting(db, 1)
  const second = send('k')
  const third = send('k', { payload: { other: true } })
  await waiting(db, 3)
  await held.commit()
  t.match(await first, { statusCode: 202, headers: { 'idempotency-replayed': undefined } })
  t.match(await second, { statusCode: 202, headers: { 'idempotency-replayed': 'true' } })
  expectProblem(t, await third, { status: 409, code: 'idempotency_key_reused' })
  t.same(await things(), [{ id: '1' }])
})

t.test('who comes while another fails does the work', async (t) => {
  const { db, send, things } = await start(t)
  const held = await holdTransaction(t, db, 'LOCK TABLE things')
  const first = send('k', { payload: { fail: true } })
  await waiting(db, 1)
  const second = send('k')
  await waiting(db, 2)
  await held.commit()
  t.match(await first, { statusCode: 500 })
  t.match(await second, { statusCode: 202, headers: { 'idempotency-replayed': undefined } })
  t.same(await things(), [{ id: '1' }])
})

t.test(
  'an answer that was damaged is lost: a conflict, told to the operator, and nothing is done twice',
  async (t) => {
    const { db, send, things, logs } = await start(t)
    await send('k')
    const [{ kept } = {}] = await db.query<{ kept: string }>(
      'SELECT to_json(idempotency_keys)::text AS kept FROM idempotency_keys',
    )
    const damages = [
      'status = NULL',
      'status = 199',
      'status = 300',
      'body = NULL',
      "body = '{'",
      String.raw`location = E'/a\r\nset-cookie: a=b'`,
      "location = 'https://evil.example/'",
      "location = '//evil.example/'",
      String.raw`etag = E'"a"\r\nx: y'`,
      "etag = 'a'",
      "fingerprint = ''",
      "fingerprint = fingerprint || '\\x00'::bytea",
    ]
    for (const damage of damages) {
      await db.query(`UPDATE idempotency_keys SET ${damage}`)
      expectProblem(t, await send('k'), { status: 409, code: 'idempotency_answer_lost' }, damage)
      await db.query('DELETE FROM idempotency_keys')
      await db.query(
        'INSERT INTO idempotency_keys SELECT * FROM json_populate_record(NULL::idempotency_keys, $1)',
        [kept],
      )
      t.match(await send('k'), { statusCode: 202, headers: { 'idempotency-replayed': 'true' } }, damage)
    }
    t.same(await things(), [{ id: '1' }])
    const told = logs().filter(({ msg }) => msg === 'a kept answer is not as it was written')
    t.equal(told.length, damages.length)
    t.match(told[0], { level: 'error', idempotency_id: /^[0-9a-f]{64}$/ })
  },
)

t.test('another secret recognises the key, and not the body: nothing is done twice', async (t) => {
  const { db, send, things } = await start(t)
  await send('k')
  const other = await createTestApp(
    t,
    { APP_DATABASE__URL: db.url, APP_JWT__SECRET: 'another secret, of thirty-two characters' },
    routes,
  )
  const refused = await other.app.inject({
    method: 'POST',
    url: '/things/1',
    payload: {},
    headers: { 'idempotency-key': 'k' },
  })
  expectProblem(t, refused, { status: 409, code: 'idempotency_key_reused' })
  t.same(await things(), [{ id: '1' }])
})

t.test('a route that takes keys and answers past them is found out', async (t) => {
  const { app } = await start(t)
  const response = await app.inject({ method: 'POST', url: '/forgetful', payload: {} })
  expectProblem(t, response, { status: 500, code: 'internal_error' })
})
