import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { LogDestination } from '#lib/log/destination.ts'
import { eventually } from '#test/support/eventually.ts'

const MIB = 1024 * 1024

/** A stream that takes what it gets, one after the other, when it is told to. */
function createReader({ isReading = true } = {}) {
  const got: string[] = []
  const state = { isReading, fails: false }
  let waiting: (() => void)[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, taken) {
      const take = () => {
        if (!state.fails) got.push(chunk.toString())
        taken(state.fails ? new Error('nobody reads') : null)
      }
      if (state.isReading) take()
      else waiting.push(take)
    },
    // A pipe whose reader is gone stays as it is.
    autoDestroy: false,
  })
  const read = () => {
    state.isReading = true
    for (const take of waiting) take()
    waiting = []
  }
  return { stream, got, state, read, destination: new LogDestination(stream) }
}

t.test('lines that come together are written together', async (t) => {
  const { destination, got } = createReader()
  destination.write('one\n')
  destination.write('two\n')
  t.same(got, [])
  await eventually(async () => got.length > 0)
  t.same(got, ['one\ntwo\n'])
  await destination.flush(1000)
  t.equal(destination.dropped, 0)
})

t.test('many characters do not wait for more', async (t) => {
  const { destination, got } = createReader()
  destination.write(`${'x'.repeat(16_383)}\n`)
  t.equal(got.join('').length, 16_384)
  await destination.flush(1000)
})

t.test('what comes while the reader is slow is written without another line', async (t) => {
  for (const size of [3, 16_384]) {
    const { destination, got, read } = createReader({ isReading: false })
    destination.write('first\n')
    destination.flushSync()
    destination.write('x'.repeat(size))
    // The time for which lines are gathered is over before the first was taken.
    await sleep(50)
    t.same(got, [])
    read()
    await eventually(async () => got.length === 2, 20)
    t.same(got, ['first\n', 'x'.repeat(size)])
  }
})

t.test('what does not fit is dropped and counted, and so is what cannot be written', async (t) => {
  const { destination, got, read, state } = createReader({ isReading: false })
  destination.write('first\n')
  destination.flushSync()
  for (let count = 0; count < 10; count++) destination.write('x'.repeat(MIB))
  t.equal(destination.dropped, 2)
  read()
  await destination.flush(60_000)
  t.same(
    got.map(({ length }) => length),
    [6, 8 * MIB],
  )
  state.fails = true
  destination.write('a\n')
  destination.write('b\n')
  await destination.flush(60_000)
  t.equal(destination.dropped, 4)
})

t.test('the end does not wait for a reader that does not read', async (t) => {
  const { destination, got } = createReader({ isReading: false })
  destination.write('first\n')
  await destination.flush(20)
  t.same(got, [])
})

t.test('among other processes lines are written in whole pieces', async (t) => {
  const { destination, got } = createReader()
  destination.share()
  const lines = Array.from({ length: 5 }, (_, index) => `${String(index).repeat(1500)}\n`)
  const long = `${'y'.repeat(5000)}\n`
  for (const line of [...lines, long]) destination.write(line)
  await destination.flush(60_000)
  t.equal(got.join(''), [...lines, long].join(''))
  for (const piece of got) {
    t.ok(piece.endsWith('\n'))
    t.ok(piece.length <= 4096 || piece === long, `${piece.length}`)
  }
})
