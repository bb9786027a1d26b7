import t from 'tap'
import { pause, repeatUntil } from '#lib/waiting/repeat.ts'

t.test('repeatUntil', async (t) => {
  t.test('repeats until the work is done', async (t) => {
    let runs = 0
    await repeatUntil(new AbortController().signal, 1, async () => ++runs === 3)
    t.equal(runs, 3)
  })

  t.test('ends with the signal, without another run', async (t) => {
    const stop = new AbortController()
    let runs = 0
    await repeatUntil(stop.signal, 1, async () => {
      runs++
      stop.abort()
      return false
    })
    t.equal(runs, 1)
    await repeatUntil(stop.signal, 60_000, async () => t.fail('it is aborted'))
  })

  t.test('throws what the work throws', async (t) => {
    const work = async () => Promise.reject(new TypeError('broken'))
    await t.rejects(repeatUntil(new AbortController().signal, 1, work), TypeError)
  })
})

t.test('pause ends early with its signal', async () => {
  const stop = new AbortController()
  const paused = pause(60_000, stop.signal)
  stop.abort()
  await paused
})
