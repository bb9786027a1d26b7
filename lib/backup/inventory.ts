import type { DescribedObject } from '#lib/object-store/copy-object.ts'
import type { ObjectStore } from '#lib/object-store/object-store.ts'
import { BackupError } from './backup-error.ts'

/** A content that rows of a database name. */
export interface StoredContent extends DescribedObject {
  /** The kind of store that has it. */
  readonly store: ObjectStore['kind']
}

/** Lines that are written at once. */
const BATCH = 1000

/** Characters that no line exceeds. */
const LONGEST_LINE = 200

const LINE = /^([0-9a-f]{32}) (\d{1,16}) ([0-9a-f]{64}) (local|s3)$/

/** Renders contents, a line each: key, bytes, SHA-256, and the kind of store. */
export async function* writeInventory(contents: AsyncIterable<StoredContent>): AsyncGenerator<Uint8Array> {
  let lines: string[] = []
  for await (const { key, size, sha256, store } of contents) {
    lines.push(`${key} ${size} ${sha256} ${store}\n`)
    if (lines.length < BATCH) continue
    yield Buffer.from(lines.join(''))
    lines = []
  }
  yield Buffer.from(lines.join(''))
}

/**
 * Reads what `writeInventory` has written.
 *
 * @throws BackupError for anything else
 */
export async function* readInventory(
  pieces: AsyncIterable<Uint8Array>,
  file: string,
): AsyncGenerator<StoredContent> {
  let rest = ''
  for await (const piece of pieces) {
    const lines = (rest + Buffer.from(piece).toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield parse(line, file)
    if (rest.length > LONGEST_LINE) throw damaged(file)
  }
  if (rest !== '') throw damaged(file)
}

function parse(line: string, file: string): StoredContent {
  const [, key, size, sha256, store] = LINE.exec(line) ?? []
  if (key === undefined || sha256 === undefined) throw damaged(file)
  return { key, size: Number(size), sha256, store: store === 's3' ? 's3' : 'local' }
}

function damaged(file: string): BackupError {
  return new BackupError(`${file} is damaged, or not an inventory of this service.`)
}

/**
 * Yields the keys of an inventory that none of the others has. All of them are sorted by key, so they are read side by
 * side, and none is in memory.
 */
export async function* keysOnlyIn(
  contents: AsyncIterable<DescribedObject>,
  others: readonly AsyncIterable<DescribedObject>[],
): AsyncGenerator<string> {
  const heads = await Promise.all(others.map((other) => Head.of(other)))
  for await (const { key } of contents) {
    for (const head of heads) await head.skipTo(key)
    if (!heads.some((head) => head.key === key)) yield key
  }
}

/** The next key of an inventory. */
class Head {
  readonly #rest: AsyncIterator<DescribedObject>
  key: string | undefined

  private constructor(rest: AsyncIterator<DescribedObject>) {
    this.#rest = rest
  }

  static async of(contents: AsyncIterable<DescribedObject>): Promise<Head> {
    const head = new Head(contents[Symbol.asyncIterator]())
    await head.#move()
    return head
  }

  async #move(): Promise<void> {
    const next = await this.#rest.next()
    this.key = next.done === true ? undefined : next.value.key
  }

  async skipTo(key: string): Promise<void> {
    while (this.key !== undefined && this.key < key) await this.#move()
  }
}
