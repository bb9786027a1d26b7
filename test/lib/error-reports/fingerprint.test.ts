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
  ].join('\n')
  t.strictSame(fingerprint(error, 'getUser').frames, [
    { function: 'find', file: 'services/users/users.ts', line: 3, isOwn: true },
    { function: 'Client.query', file: 'node_modules/pg/lib/client.js', line: 5, isOwn: false },
    { function: '<anonymous>', file: 'node:internal/process/task_queues', line: 7, isOwn: false },
    { function: 'other', file: 'else.js', line: 9, isOwn: false },
  ])
  t.equal(fingerprint(new EmailTaken(), 'createUser').code, 'email_taken')
})
