import { createSecretKey, randomBytes } from 'node:crypto'
import t from 'tap'
import { identify } from '#lib/idempotency/idempotency.ts'
import { readAnswer } from '#lib/idempotency/stored-answer.ts'

const ROW = {
  fingerprint: Buffer.alloc(32),
  status: 201,
  location: '/things/1',
  etag: '"1"',
  body: '{"a":1}',
}

t.test('a kept answer is read as it was written, whatever success it was', async (t) => {
  for (const status of [200, 201, 202, 299]) {
    t.same(readAnswer({ ...ROW, status }), { status, location: '/things/1', etag: '"1"', body: '{"a":1}' })
  }
  const bare = { status: 201, location: null, etag: null, body: '{}' }
  t.same(readAnswer({ ...ROW, ...bare }), bare)
  for (const status of [null, 0, 199, 300, 503]) t.equal(readAnswer({ ...ROW, status }), undefined)
  for (const body of [null, '', '{', 'undefined']) t.equal(readAnswer({ ...ROW, body }), undefined)
})

t.test('a request is the same however its names are ordered, and no other one is', async (t) => {
  const key = createSecretKey(randomBytes(32))
  const asked = {
    operation: 'createThing',
    caller: 'ada',
    idempotencyKey: 'k',
    input: { body: { a: 1, b: [1, 2] } },
  }
  const first = identify(key, asked)
  const again = identify(key, { ...asked, input: { body: { b: [1, 2], a: 1 } } })
  t.same(again, first)
  for (const body of [{ a: 1, b: [2, 1] }, { a: 1 }, { a: 1, b: { 0: 1, 1: 2 } }, { a: null, b: [1, 2] }]) {
    const other = identify(key, { ...asked, input: { body } })
    t.same(other.id, first.id)
    t.notSame(other.fingerprint, first.fingerprint, JSON.stringify(body))
  }
  for (const change of [
    { operation: 'createOther' },
    { caller: null },
    { caller: 'bob' },
    { idempotencyKey: 'l' },
  ]) {
    t.notSame(identify(key, { ...asked, ...change }).id, first.id)
  }
  const below = identify(key, { ...asked, organization: 'o' })
  t.same(below.formerId, first.id, 'as versions before organizations knew it')
  t.notSame(below.id, first.id)
  t.notSame(identify(key, { ...asked, organization: 'p' }).id, below.id)
})
