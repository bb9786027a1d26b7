import t from 'tap'
import { formatDuration, formatSize, parseDuration, parseSize } from '#config/engine/units.ts'

t.test('durations are read in every unit', async (t) => {
  const table: [string, number][] = [
    ['0s', 0],
    ['0ms', 0],
    ['500ms', 500],
    ['15s', 15_000],
    ['015s', 15_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['30d', 2_592_000_000],
  ]
  for (const [text, milliseconds] of table) t.equal(parseDuration(text), milliseconds, text)
})

t.test('sizes are read in every unit', async (t) => {
  const table: [string, number][] = [
    ['0B', 0],
    ['512B', 512],
    ['256KiB', 262_144],
    ['64MiB', 67_108_864],
    ['2GiB', 2_147_483_648],
  ]
  for (const [text, bytes] of table) t.equal(parseSize(text), bytes, text)
})

t.test('anything else is not a quantity', async (t) => {
  const neither = [
    '',
    '15',
    's',
    '-1s',
    '+1s',
    '1.5s',
    '1e3s',
    ' 1s',
    '1s ',
    '1 s',
    '1s\n',
    '1S',
    '1min',
    '٣s',
  ]
  for (const text of [
    ...neither,
    '1B',
    '1constructor',
    '1__proto__',
    '9007199254740993ms',
    `${'9'.repeat(400)}d`,
  ]) {
    t.equal(parseDuration(text), undefined, `duration ${JSON.stringify(text)}`)
  }
  for (const text of [
    ...neither,
    '1KB',
    '1kib',
    '1K',
    '1TiB',
    '1toString',
    '9007199254740993B',
    '9007199254740992KiB',
  ]) {
    t.equal(parseSize(text), undefined, `size ${JSON.stringify(text)}`)
  }
})

t.test('what is written is read back as the same number', async (t) => {
  const numbers = [
    0,
    1,
    7,
    59,
    999,
    1000,
    1001,
    1024,
    1025,
    59_999,
    60_000,
    72_000,
    86_400_000,
    262_144,
    19 * 1024 ** 2,
  ]
  const random = Array.from({ length: 500 }, () => Math.floor(Math.random() * 2 ** 40))
  for (const number of [...numbers, ...random]) {
    t.equal(parseDuration(formatDuration(number)), number, formatDuration(number))
    t.equal(parseSize(formatSize(number)), number, formatSize(number))
  }
})

t.test('numbers are written in the largest unit that divides them', async (t) => {
  t.equal(formatDuration(0), '0s')
  t.equal(formatDuration(1500), '1500ms')
  t.equal(formatDuration(72_000), '72s')
  t.equal(formatDuration(900_000), '15m')
  t.equal(formatSize(0), '0B')
  t.equal(formatSize(1000), '1000B')
  t.equal(formatSize(19_922_944), '19MiB')
})
