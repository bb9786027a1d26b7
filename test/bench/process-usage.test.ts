import { endianness } from 'node:os'
import t from 'tap'
import { parsePageSize, parseStat, usageOf } from '#bench/system/process-usage.ts'

t.test('a line of /proc, whatever the name of the program', async (t) => {
  const fields = '7 42 42 0 -1 4194304 100 200 0 0 150 30 20 5 20 0 11 0 12345 1000000 2560 184467'
  t.same(parseStat(`43 (node (worker) 1) S ${fields}`), { pid: 43, parent: 7, ticks: 205, resident: 2560 })
  t.equal(parseStat(''), undefined)
})

t.test('the size of a page', async (t) => {
  const vector = Buffer.alloc(48)
  const words = [3n, 64n, 6n, 16384n, 0n, 0n]
  for (const [index, word] of words.entries()) {
    if (endianness() === 'LE') vector.writeBigUInt64LE(word, index * 8)
    else vector.writeBigUInt64BE(word, index * 8)
  }
  t.equal(parsePageSize(vector), 16384)
  t.equal(parsePageSize(Buffer.alloc(0)), 4096)
})

t.test('this process', { skip: process.platform === 'linux' ? false : 'there is no /proc' }, async (t) => {
  const usage = await usageOf(process.pid)
  t.ok(usage && usage.cpu > 0)
  t.ok(usage && usage.memory > 10 * 2 ** 20 && usage.memory < 10 * 2 ** 30)
  t.equal(await usageOf(2 ** 30), undefined, 'there is no such process')
})
