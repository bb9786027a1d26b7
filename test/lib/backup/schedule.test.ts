import t from 'tap'
import { repeat } from '#lib/backup/schedule.ts'
import { eventually } from '#test/support/eventually.ts'

t.test('work is repeated, also after a failure, until the wait is ended', async (t) => {
  const stop = new AbortController()
  const failures: unknown[] = []
  let runs = 0
  const running = repeat(
    async () => {
      runs++
      if (runs === 2) throw new Error('no room')
    },
    { interval: 1, last: undefined, signal: stop.signal, failed: (error) => failures.push(error) },
  )
  await eventually(async () => runs >= 4)
  stop.abort()
  await running
  t.match(failures, [{ message: 'no room' }])
})

t.test('an interval of a day ends at once when it is told to', async (t) => {
  const stop = new AbortController()
  let runs = 0
  const running = repeat(
    async () => {
      runs++
    },
    { interval: 86_400_000, last: undefined, signal: stop.signal, failed: () => undefined },
  )
  await eventually(async () => runs === 1)
  stop.abort()
  await running
  t.equal(runs, 1)
})

t.test('a start right after a run waits for the next one', async (t) => {
  const stop = new AbortController()
  const ran: string[] = []
  const start = (name: string, last: number | undefined) =>
    repeat(async () => void ran.push(name), {
      interval: 86_400_000,
      last,
      signal: stop.signal,
      failed: () => undefined,
    })
  const now = Date.now()
  const running = [
    start('just now', now - 1000),
    start('long ago', now - 86_400_001),
    start('never', undefined),
  ]
  await eventually(async () => ran.length === 2)
  stop.abort()
  await Promise.all(running)
  t.strictSame(ran.sort(), ['long ago', 'never'])
})
