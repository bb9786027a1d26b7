import t from 'tap'
import { warnOfTrouble } from '#lib/log/troubles.ts'

t.test('a trouble that goes on is told at once, and then once a minute with how often it was', async (t) => {
  const lines: [object, string][] = []
  let now = 1_000_000
  const warn = warnOfTrouble({ warn: (...line) => lines.push(line) }, 'it is away', () => now)
  const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  for (let attempt = 0; attempt < 241; attempt++, now += 250) warn(away)
  t.strictSame(lines, [
    [{ err: away }, 'it is away'],
    [{ err: away, repeated: 239 }, 'it is away'],
  ])

  const other = new Error('too many clients')
  warn(other)
  warn('no error at all')
  t.match(lines.slice(2), [[{ err: other }], [{ err: 'no error at all' }]], 'others are told at once')

  for (let kind = 0; kind < 200; kind++) warn(new Error(`kind ${kind}`))
  warn(away)
  t.match(lines.at(-1), [{ err: away }, 'it is away'], 'what is kept of them is bounded')
})
