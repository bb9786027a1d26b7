import { free } from './free.ts'

/** Joins pieces to parts of a size; the last may be smaller. There is one part at least, which may be empty. */
export async function* inParts(
  pieces: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let waiting: Uint8Array[] = []
  let length = 0
  let parts = 0
  for await (const piece of pieces) {
    waiting.push(piece)
    length += piece.length
    if (length < size) continue
    yield join(waiting, length)
    parts++
    waiting = []
    length = 0
  }
  if (length > 0 || parts === 0) yield join(waiting, length)
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
    free(piece)
  }
  return whole
}
