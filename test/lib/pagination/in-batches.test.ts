import t from 'tap'
import { inBatches } from '#lib/pagination/in-batches.ts'

t.test('rows come batch by batch, each after the last one of the batch before', async (t) => {
  const expected: readonly (readonly [count: number, batches: number[][], reads: number])[] = [
    [0, [], 1],
    [1, [[1]], 1],
    [2, [[1, 2]], 2],
    [3, [[1, 2], [3]], 2],
    [
      4,
      [
        [1, 2],
        [3, 4],
      ],
      3,
    ],
  ]
  for (const [count, batches, reads] of expected) {
    const asked: unknown[] = []
    const read = async (last = 0, limit = 0) => {
      asked.push([last, limit])
      return Array.from({ length: Math.min(limit, count - last) }, (_, index) => last + index + 1)
    }
    const found: (readonly number[])[] = []
    for await (const batch of inBatches(2, read)) found.push(batch)
    t.strictSame(found, batches, `${count} rows`)
    t.strictSame(
      asked,
      [
        [0, 2],
        [2, 2],
        [4, 2],
      ].slice(0, reads),
      'it asks no more than it has to',
    )
  }
})
