import t from 'tap'
import { keysOnlyIn, readInventory, type StoredContent, writeInventory } from '#lib/backup/inventory.ts'

/** Contents with these numbers, of stores of both kinds. */
function contents(...numbers: number[]): StoredContent[] {
  return numbers.map((number) => ({
    key: number.toString(16).padStart(32, '0'),
    size: number,
    sha256: number.toString(16).padStart(64, '0'),
    store: number % 2 === 0 ? 's3' : 'local',
  }))
}

async function* streamed<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await all(pieces)).toString()
}

function read(...pieces: string[]): Promise<StoredContent[]> {
  return all(readInventory(streamed(pieces.map((piece) => Buffer.from(piece))), 'a.files'))
}

t.test('an inventory is read as it was written, however it is cut', async (t) => {
  const many = contents(...Array.from({ length: 2001 }, (_, number) => number))
  const pieces = await all(writeInventory(streamed(many)))
  t.equal(pieces.length, 3, 'a thousand lines at once')
  const text = await textOf(streamed(pieces))
  t.strictSame(await read(text), many)
  const few = await textOf(writeInventory(streamed(contents(1, 2))))
  for (let cut = 0; cut <= few.length; cut++)
    t.strictSame(await read(few.slice(0, cut), few.slice(cut)), contents(1, 2))
  t.strictSame(await read(await textOf(writeInventory(streamed([])))), [])
})

t.test('anything else is refused, and never read without an end', async (t) => {
  const line = await textOf(writeInventory(streamed(contents(1))))
  const wrong = [
    line.trim(),
    `${line}x\n`,
    line.replace('local', 'nowhere'),
    line.replace(' 1 ', ' -1 '),
    line.replace(/^0/, 'g'),
    '\n',
  ]
  const error = { name: 'BackupError', message: /a\.files is damaged/ }
  for (const text of wrong) await t.rejects(read(text), error, text)
  async function* endless() {
    for (;;) yield Buffer.alloc(100, 'a')
  }
  await t.rejects(all(readInventory(endless(), 'a.files')), error)
})

t.test('keys that no other inventory has', async (t) => {
  const only = (own: number[], ...others: number[][]) =>
    all(
      keysOnlyIn(
        streamed(contents(...own)),
        others.map((numbers) => streamed(contents(...numbers))),
      ),
    )
  const keys = (...numbers: number[]) => contents(...numbers).map(({ key }) => key)
  t.strictSame(await only([1, 2, 3]), keys(1, 2, 3))
  t.strictSame(await only([1, 2, 3, 5], [2, 4], [0, 5, 6]), keys(1, 3))
  t.strictSame(await only([1, 2], [], [1, 2]), [])
  t.strictSame(await only([3], [1, 2]), keys(3))
})
