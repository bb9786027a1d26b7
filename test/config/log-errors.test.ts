import t from 'tap'
import { serializeError } from '../../config/log-errors.ts'

t.test('what is shown of an error', async (t) => {
  class Odd extends Error {}
  const error = Object.assign(new Odd('why'), { code: 'E_ODD', detail: 'a row', parameters: [1] })
  t.strictSame(serializeError(error), { type: 'Odd', message: 'why', code: 'E_ODD', stack: error.stack })
})

t.test('a code that is no text, and a missing stack', async (t) => {
  const error = Object.assign(new Error('why'), { code: 7, stack: undefined })
  t.strictSame(serializeError(error), { type: 'Error', message: 'why', stack: '' })
})

t.test('a class without a name', async (t) => {
  const Nameless = (() => class extends TypeError {})()
  t.match(serializeError(new Nameless('why')), { type: 'TypeError' })
})

t.test('what is no error', async (t) => {
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
