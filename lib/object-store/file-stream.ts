import type { FileHandle } from 'node:fs/promises'
import { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { ByteRange } from './object-store.ts'
import { ObjectStoreError } from './object-store-error.ts'

/** Bytes that are read at once. */
const READ_BYTES = 256 * 1024

/**
 * A file, or a part of it. For an answer it is read into the same two buffers again and again, one while the other is on its
 * way: with a buffer for each piece, V8's collector takes most of the time of a large download
 * (docs/performance/features.md). All other readers may keep the pieces.
 */
export class FileStream extends Readable {
  readonly #file: FileHandle
  readonly #end: number
  #position: number

  /** @param range bytes that the file has */
  constructor(file: FileHandle, { start, end }: ByteRange) {
    super({ highWaterMark: READ_BYTES })
    this.#file = file
    this.#position = start
    this.#end = end + 1
  }

  override _read(): void {
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, this.#end - this.#position))
    this.#fill(buffer).then(
      (piece) => this.push(piece.length === 0 ? null : piece),
      (error) => this.destroy(error),
    )
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T, options?: { end?: boolean }): T {
    if (!(destination instanceof ServerResponse)) return super.pipe(destination, options)
    this.#send(destination).then(
      () => {
        if (options?.end !== false) destination.end()
        this.push(null)
        this.resume()
      },
      (error) => this.destroy(error),
    )
    return destination
  }

  async #send(response: ServerResponse): Promise<void> {
    const length = Math.min(READ_BYTES, this.#end - this.#position)
    let [next, other] = [Buffer.allocUnsafeSlow(length), Buffer.allocUnsafeSlow(length)]
    let written = Promise.resolve()
    while (this.#position < this.#end) {
      const piece = await this.#fill(next)
      await written
      written = writeTo(response, piece)
      // It is waited for after the next read.
      written.catch(() => undefined)
      ;[next, other] = [other, next]
    }
    await written
  }

  /** Reads what comes next, which is nothing at the end. */
  async #fill(buffer: Buffer): Promise<Buffer> {
    const wanted = Math.min(buffer.length, this.#end - this.#position)
    if (wanted === 0) return buffer.subarray(0, 0)
    const { bytesRead } = await this.#file.read(buffer, 0, wanted, this.#position)
    if (bytesRead === 0) throw new ObjectStoreError('A file is not as long as it was.')
    this.#position += bytesRead
    return buffer.subarray(0, bytesRead)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // After a read that is under way.
    this.#file.close().then(
      () => callback(error),
      (failure) => callback(error ?? failure),
    )
  }
}

/** Resolves when the system has the bytes. */
function writeTo(response: ServerResponse, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(piece, (error) => (error ? reject(error) : resolve()))
  })
}
