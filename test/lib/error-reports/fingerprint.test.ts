import t from 'tap'
import { fingerprint } from '#lib/error-reports/fingerprint.ts'
import { EmailTaken } from '#services/users/errors.ts'

const makeError = (message: string) => new Error(message)
const makeOther = (message: string) => new Error(message)

t.test('is the same wherever the message and the line differ', async (t) => {
  const error = makeError('one')
  const { fingerprint: own } = fingerprint(error, 'getUser')
  t.equal(fingerprint(makeError('two'), 'getUser').fingerprint, own)
  const moved = makeError('one')
  moved.stack = String(error.stack).replace(/:\d+:\d+\)/g, ':1:1)')
  t.equal(fingerprint(moved, 'getUser').fingerprint, own)
})

t.test('differs by type, code, place and operation', async (t) => {
  const error = makeError('one')
  const found = new Set([
    fingerprint(error, 'getUser').fingerprint,
    fingerprint(error, 'listUsers').fingerprint,
    fingerprint(makeOther('one'), 'getUser').fingerprint,
    fingerprint(Object.assign(makeError('one'), { code: '23505' }), 'getUser').fingerprint,
    fingerprint(new TypeError('one'), 'getUser').fingerprint,
    fingerprint('text', 'getUser').fingerprint,
    fingerprint(undefined, 'getUser').fingerprint,
  ])
  t.equal(found.size, 7)
})

t.test('knows our code from libraries, and names no path of the machine', async (t) => {
  const error = new Error('first line\n    at fake (/etc/passwd:1:1)')
  error.stack = [
    `Error: ${error.message}`,
    `    at async find (file://${process.cwd()}/services/users/users.ts:3:4)`,
    `    at Client.query (${process.cwd()}/node_modules/pg/lib/client.js:5:6)`,
    '    at node:internal/process/task_queues:7:8',
    '    at other (/home/somebody/else.js:9:10)',
    '    at linked (/home/somebody/node_modules/pg/index.js:9:10)',
  ].join('\n')
  t.strictSame(fingerprint(error, 'getUser').frames, [
    { function: 'find', file: 'services/users/users.ts', line: 3, isOwn: true },
    { function: 'Client.query', file: 'node_modules/pg/lib/client.js', line: 5, isOwn: false },
    { function: '<anonymous>', file: 'node:internal/process/task_queues', line: 7, isOwn: false },
    { function: 'other', file: 'else.js', line: 9, isOwn: false },
    { function: 'linked', file: 'node_modules/pg/index.js', line: 9, isOwn: false },
  ])
  t.equal(fingerprint(new EmailTaken(), 'createUser').code, 'email_taken')
})

t.test('three places of our own code tell errors apart, whatever stands between and beyond', async (t) => {
  const own = (name: string) => `    at ${name} (file://${process.cwd()}/services/users/users.ts:3:4)`
  const library = `    at run (${process.cwd()}/node_modules/pg/lib/client.js:5:6)`
  const of = (...lines: string[]) => {
    const error = new Error('x')
    error.stack = ['Error: x', ...lines].join('\n')
    return fingerprint(error, 'getUser')
  }
  const { fingerprint: found } = of(own('a'), own('b'), own('c'))
  t.match(found, /^[0-9a-f]{16}$/)
  t.equal(of(own('a'), library, own('b'), own('c'), own('d')).fingerprint, found)
  t.not(of(own('a'), own('b'), own('d')).fingerprint, found)
  const deep = of(...Array.from({ length: 80 }, (_, index) => own(`f${index}`)), own('x'.repeat(300)))
  t.equal(deep.frames.length, 49, 'one of the fifty lines is the message')
  t.equal(of(own('x'.repeat(300))).frames[0]?.function.length, 200)
  t.strictSame(of('nothing that looks like a place').frames, [])
})

t.test('the type and the code of what is thrown, whatever that is', async (t) => {
  const without = (error: Error) => {
    Reflect.deleteProperty(error, 'stack')
    return error
  }
  const nameless = new (class extends Error {})('x')
  Object.defineProperty(nameless.constructor, 'name', { value: '' })
  const rows: [thrown: unknown, type: string, code: string | undefined][] = [
    [new TypeError('x'), 'TypeError', undefined],
    [nameless, 'Error', undefined],
    [without(new RangeError('x')), 'RangeError', undefined],
    ['text', 'string', undefined],
    [null, 'object', undefined],
    [Object.assign(new Error('x'), { code: 'ECONNRESET' }), 'Error', 'ECONNRESET'],
    [Object.assign(new Error('x'), { code: 5 }), 'Error', undefined],
    [Object.assign(new Error('x'), { definition: { code: 'ours' }, code: 'other' }), 'Error', 'ours'],
    [Object.assign(new Error('x'), { definition: {}, code: 'other' }), 'Error', undefined],
    [Object.assign(new Error('x'), { definition: null, code: 'other' }), 'Error', 'other'],
  ]
  for (const [thrown, type, code] of rows) {
    const found = fingerprint(thrown, 'getUser')
    t.strictSame([found.type, found.code], [type, code], String(thrown))
  }
})
