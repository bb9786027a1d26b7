import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Rounds } from '#lib/waiting/rounds.ts'

t.test('who asks while a round is under way takes part in the next one', async (t) => {
  const begun: number[][] = []
  const ends: PromiseWithResolvers<number>[] = []
  const rounds = new Rounds((items: readonly number[]) => {
    begun.push([...items])
    const end = Promise.withResolvers<number>()
    ends.push(end)
    return end.promise
  })
  const first = rounds.join(1)
  const others = [rounds.join(2), rounds.join(3)]
  t.same(begun, [[1]], 'it begins at once')
  ends[0]?.resolve(10)
  t.equal(await first, 10)
  await turn()
  t.same(begun, [[1], [2, 3]], 'the others wait for one that begins after them')
  const last = rounds.join(4)
  ends[1]?.reject(new Error('the disk is full'))
  for (const other of others) await t.rejects(other, { message: 'the disk is full' })
  await turn()
  t.same(begun.at(-1), [4], 'a failure is of one round')
  ends[2]?.resolve(20)
  t.equal(await last, 20)
  await turn()
  const alone = rounds.join(5)
  t.same(begun.at(-1), [5])
  ends[3]?.resolve(30)
  t.equal(await alone, 30)
})
