import type { IncomingMessage } from 'node:http'
import type { Appending, Progress } from './appending.ts'
import { free } from './free.ts'
import { ObjectMissing, ObjectStoreError } from './object-store-error.ts'
import type { S3Bucket } from './s3-bucket.ts'

interface Place {
  readonly bucket: S3Bucket
  readonly key: string
  /** Bytes of each part but the last. */
  readonly partBytes: number
  /** Releases the memory of a part. */
  close(): void
}

/** Says after how many parts the bytes of an object come that is a tail. */
const PARTS_BEFORE = 'x-amz-meta-parts'

/** State that goes from one request to the next. */
interface State {
  /** The upload in parts, once there is a whole part. */
  readonly id: string | null
  /** Entity tags of the parts. */
  readonly tags: readonly string[]
  /** Entity tag of the bytes after them, too few for a part, which are an object under the key until all is there. */
  readonly tail: string | null
}

/**
 * Adds to an object by an upload in parts. Entity tags say which bytes count, so that what a process sends that does not know
 * that it was replaced is ignored, or has the upload fail, and never becomes part of the object.
 */
export class S3Appending implements Appending {
  readonly #place: Place
  readonly #part: Uint8Array<ArrayBuffer>
  #filled = 0
  #id: string | null
  readonly #tags: string[]
  #finished: Progress | undefined
  /** How much is durable, and as its state says it. */
  #durable: Progress & { readonly state: State }

  private constructor(place: Place, offset: number, state: State) {
    this.#place = place
    this.#id = state.id
    this.#tags = [...state.tags]
    this.#part = new Uint8Array(place.partBytes)
    this.#durable = { offset, state }
  }

  static async resume(place: Place, { offset, state }: Progress): Promise<S3Appending> {
    const known = isState(state) ? state : { id: null, tags: [], tail: null }
    const appending = new S3Appending(place, offset, known)
    const length = offset - known.tags.length * place.partBytes
    if (known.tail === null) return appending
    try {
      await appending.#load(known.tail, length)
    } catch (error) {
      // It may have been finished by somebody who could not say so any more.
      if ((await place.bucket.size(place.key)) !== offset) throw error
      appending.#finished = { offset, state }
    }
    return appending
  }

  async #load(tag: string, length: number): Promise<void> {
    const { bucket, key } = this.#place
    const tail = await bucket.get(key, { 'if-match': tag }).catch((error) => this.#laterTail(error))
    for await (const piece of tail) {
      const taken = piece.subarray(0, length - this.#filled)
      this.#part.set(taken, this.#filled)
      this.#filled += taken.length
      if (taken.length < piece.length) break
    }
    if (this.#filled < length) throw new ObjectStoreError(`${key} is not as long as it was.`)
  }

  /** One that was put in the place of a tail, and not noted before a crash, begins with the same bytes. */
  async #laterTail(error: unknown): Promise<IncomingMessage> {
    const { bucket, key } = this.#place
    const later = await bucket.get(key)
    if (later.headers[PARTS_BEFORE] === String(this.#tags.length)) return later
    later.destroy()
    throw error
  }

  async write(piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.length; ) {
      const taken = piece.subarray(at, at + this.#part.length - this.#filled)
      this.#part.set(taken, this.#filled)
      this.#filled += taken.length
      at += taken.length
      if (this.#filled === this.#part.length) await this.#send(this.#part)
    }
    free(piece)
  }

  async #send(part: Uint8Array<ArrayBuffer>): Promise<void> {
    const { bucket, key } = this.#place
    this.#id ??= await bucket.beginParts(key)
    this.#tags.push(await bucket.putPart(key, this.#id, this.#tags.length + 1, part))
    this.#filled = 0
  }

  /** The whole parts, once these are more than what was durable before. */
  async sync(): Promise<Progress> {
    const whole = this.#progress(0, null)
    return whole.offset < this.#durable.offset ? this.#durable : whole
  }

  get isOutgrown(): boolean {
    const { tags, tail } = this.#durable.state
    return tail !== null && this.#tags.length > tags.length
  }

  async settle(): Promise<Progress> {
    if (this.#finished !== undefined) return this.#finished
    const { bucket, key } = this.#place
    const rest = this.#part.subarray(0, this.#filled)
    const about = { [PARTS_BEFORE]: String(this.#tags.length) }
    const tail = rest.length === 0 ? null : await bucket.put(key, rest, about)
    this.#durable = this.#progress(rest.length, tail)
    return this.#durable
  }

  #progress(rest: number, tail: string | null): Progress & { readonly state: State } {
    const state: State = { id: this.#id, tags: [...this.#tags], tail }
    return { offset: this.#tags.length * this.#part.length + rest, state }
  }

  async finish(): Promise<void> {
    if (this.#finished !== undefined) return
    const { bucket, key } = this.#place
    // Then the rest under the key is all of it.
    if (this.#id === null) {
      if (this.#filled === 0) await bucket.put(key, new Uint8Array(0))
      return
    }
    const length = this.#tags.length * this.#part.length + this.#filled
    try {
      if (this.#filled > 0) await this.#send(this.#part.subarray(0, this.#filled))
      await bucket.completeParts(key, this.#id, this.#tags)
    } catch (error) {
      // It may have been completed by somebody who could not say so any more.
      if (!(error instanceof ObjectMissing) || (await bucket.size(key)) !== length) throw error
    }
  }

  async close(): Promise<void> {
    this.#place.close()
  }
}

function isState(state: Progress['state']): state is State {
  return state !== null && 'tags' in state
}
