import t from 'tap'
import { shareWhilePending } from '#lib/metrics/share-while-pending.ts'

t.test('who asks at the same time shares one question, and a failure answers nothing', async (t) => {
  const asked: PromiseWithResolvers<number>[] = []
  const ask = shareWhilePending(() => {
    const question = Promise.withResolvers<number>()
    asked.push(question)
    return question.promise
  })
  const [one, two] = [ask(), ask()]
  t.equal(asked.length, 1)
  asked[0]?.resolve(7)
  t.strictSame(await Promise.all([one, two]), [7, 7])
  const next = ask()
  t.equal(asked.length, 2, 'a later one is a question of its own')
  asked[1]?.reject(new Error('no'))
  t.equal(await next, undefined)
  const last = ask()
  t.equal(asked.length, 3, 'after a failure, too')
  asked[2]?.resolve(8)
  t.equal(await last, 8)
})
