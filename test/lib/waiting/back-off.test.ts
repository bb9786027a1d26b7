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
