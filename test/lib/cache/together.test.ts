import t from 'tap'
import { readTogether } from '#lib/cache/together.ts'

t.test('what is asked for at the same time is read together', async (t) => {
  const asked: (readonly string[])[] = []
  const read = readTogether<string>(async (keys) => {
    asked.push(keys)
    return new Map(keys.filter((key) => key !== 'nothing').map((key) => [key, `value of ${key}`]))
  })
  t.same(await Promise.all(['a', 'b', 'a', 'nothing'].map(read)), [
    'value of a',
    'value of b',
    'value of a',
    undefined,
  ])
  t.same(asked, [['a', 'b', 'nothing']])
  t.equal(await read('a'), 'value of a')
  t.equal(asked.length, 2, 'nothing is kept')
  const many = Array.from({ length: 2500 }, (_, index) => String(index))
  await Promise.all(many.map(read))
  t.same(
    asked.slice(2).map((keys) => keys.length),
    [1000, 1000, 500],
  )
})

t.test('a reading that fails, fails for all who asked', async (t) => {
  let isFailing = true
  const read = readTogether<string>(async (keys) => {
    if (isFailing) throw new Error('away')
    return new Map(keys.map((key) => [key, key]))
  })
  for (const result of await Promise.allSettled([read('a'), read('b')])) t.equal(result.status, 'rejected')
  isFailing = false
  t.equal(await read('a'), 'a')
})
