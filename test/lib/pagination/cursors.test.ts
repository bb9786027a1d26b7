import t from 'tap'
import { Cursors } from '#lib/pagination/cursors.ts'
import { InvalidCursor } from '#lib/pagination/errors.ts'

const SECRET = 'a key of more than thirty-two bytes in length'
const cursors = new Cursors(SECRET)

t.test('a cursor gives back its position', async (t) => {
  for (const position of [
    '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90',
    '',
    'x',
    '\u7528\u6237 \0',
    'a'.repeat(500),
  ]) {
    const cursor = cursors.encode('users', position)
    t.match(cursor, /^[\w-]+$/, 'stands in a URL as it is')
    t.equal(cursors.decode('users', cursor), position)
    t.equal(new Cursors(SECRET).decode('users', cursor), position, 'on another instance')
    t.equal(cursors.encode('users', position), cursor, 'is always the same')
  }
})

t.test('a cursor of another list, of another key or of nobody is invalid', async (t) => {
  const position = '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'
  const cursor = cursors.encode('users', position)
  const rows = [
    ['another key', 'users', new Cursors(`${SECRET}!`).encode('users', position)],
    ['another list', 'things', cursor],
    ['a list whose name runs into the position', 'user', cursors.encode('users', position)],
    ['a list that holds the separator', 'users\0', cursor],
    ['empty', 'users', ''],
    ['the position alone', 'users', Buffer.from(position).toString('base64url')],
    ['padded', 'users', `${cursor}=`],
    ['standard base64', 'users', `${cursor}+/`],
    ['with a newline', 'users', `${cursor}\n`],
    ['not ASCII', 'users', `\u7528${cursor}`],
  ] as const
  for (const [name, list, forged] of rows) t.throws(() => cursors.decode(list, forged), InvalidCursor, name)
})

t.test('a cursor with any one bit changed, or any length cut, is invalid', async (t) => {
  const bytes = Buffer.from(cursors.encode('users', '42'), 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const copy = Buffer.from(bytes)
    copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    t.throws(() => cursors.decode('users', copy.toString('base64url')), InvalidCursor)
  }
  for (let length = 0; length < bytes.length; length++) {
    t.throws(() => cursors.decode('users', bytes.subarray(0, length).toString('base64url')), InvalidCursor)
  }
})

t.test('a page has so many rows at most, and a cursor where there are more', async (t) => {
  const rows = ['a', 'b', 'c'].map((id) => ({ id, at: `at ${id}` }))
  const limits: [limit: number, ids: string[], last: string | undefined][] = [
    [2, ['a', 'b'], 'b'],
    [3, ['a', 'b', 'c'], undefined],
    [4, ['a', 'b', 'c'], undefined],
  ]
  for (const [limit, ids, last] of limits) {
    const cursor = (position: string) => (last === undefined ? null : cursors.encode('things', position))
    const data = rows.filter(({ id }) => ids.includes(id))
    const next_cursor = cursor(`${last}`)
    t.strictSame(cursors.page('things', rows, limit), { data, next_cursor })
    t.strictSame(
      cursors.pageBy('things', rows, limit, ({ at }) => at),
      { data, next_cursor: cursor(`at ${last}`) },
    )
    const texts = rows.map((row) => ({ json: JSON.stringify(row) }))
    const { text } = cursors.jsonPage('things', texts, limit)
    t.equal(text, JSON.stringify({ data, next_cursor }))
  }
  t.strictSame(cursors.page('things', [], 1), { data: [], next_cursor: null })
})
