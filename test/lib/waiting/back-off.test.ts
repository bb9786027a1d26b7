import t from 'tap'
import { BackOff } from '#lib/waiting/back-off.ts'

t.test('each pause is twice the one before, up to the longest, and half of it at least', async (t) => {
  const backOff = new BackOff(100, 500)
  for (const longest of [100, 200, 400, 500, 500]) {
    const pause = backOff.next()
    t.ok(pause >= longest / 2 && pause <= longest, `${pause} of ${longest}`)
  }
  backOff.reset()
  t.ok(backOff.next() <= 100, 'it begins again')
})

t.test(
  'what is repeated for ever pauses after failures, and begins again once it has succeeded',
  async (t) => {
    const backOff = new BackOff(100, 500)
    const failures: unknown[] = []
    const failing = async () => {
      throw new Error(`failure ${failures.length + 1}`)
    }
    const attempt = (work: () => Promise<number>) => backOff.attempt(work, (error) => failures.push(error))
    for (const longest of [100, 200]) {
      const pause = await attempt(failing)
      t.ok(pause >= longest / 2 && pause <= longest, `${pause} of ${longest}`)
    }
    t.match(failures, [{ message: 'failure 1' }, { message: 'failure 2' }])
    t.equal(await attempt(async () => 7), 7)
    t.equal(failures.length, 2)
    t.ok((await attempt(failing)) <= 100, 'it begins again')
  },
)
