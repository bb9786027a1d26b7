import t from 'tap'
import { serializeError } from '#lib/log/errors.ts'

t.test('what is shown of an error', async (t) => {
  class Odd extends Error {}
  const error = Object.assign(new Odd('why'), { code: 'E_ODD', detail: 'a row', parameters: [1] })
  t.strictSame(serializeError(error), { type: 'Odd', message: 'why', code: 'E_ODD', stack: error.stack })
})

t.test('what the database says is shown, but not what may quote data', async (t) => {
  const shown = (fields: object, message = 'S3cr3t $& words') =>
    serializeError(Object.assign(new Error(message), fields))
  const cases = [
    { code: 'P0001', routine: 'exec_stmt_raise' },
    { code: '40001', routine: 'exec_stmt_raise' },
    { code: 'P0004', routine: 'exec_stmt_assert' },
    { code: '22P02', routine: 'string_to_uuid' },
  ]
  for (const fields of cases) {
    const { message, code, stack } = shown(fields)
    t.match(message, /^\[withheld.*\]$/)
    t.equal(code, fields.code)
    t.ok(stack.startsWith(`Error: ${message}\n`), stack)
    t.notMatch(stack, 'S3cr3t')
  }
  const ours = shown({ code: '42501', routine: 'aclcheck_error' }, 'permission denied for table users')
  t.equal(ours.message, 'permission denied for table users')
})

t.test('a code that is not text, and a missing stack', async (t) => {
  const error = Object.assign(new Error('why'), { code: 7, stack: undefined })
  t.strictSame(serializeError(error), { type: 'Error', message: 'why', stack: '' })
})

t.test('a class without a name', async (t) => {
  const Nameless = (() => class extends TypeError {})()
  t.match(serializeError(new Nameless('why')), { type: 'TypeError' })
})

t.test('a value that is not an error', async (t) => {
  t.strictSame(serializeError('why'), { type: 'string', message: 'why', stack: '' })
  t.strictSame(serializeError(undefined), { type: 'undefined', message: 'undefined', stack: '' })
})

t.test('causes are followed, but not for ever', async (t) => {
  const first = new Error('1')
  first.cause = first
  let depth = 0
  for (let shown: unknown = serializeError(first); isCause(shown); shown = shown.cause) depth++
  t.equal(depth, 5)
})

function isCause(shown: unknown): shown is { cause: unknown } {
  return typeof shown === 'object' && shown !== null && 'cause' in shown
}
