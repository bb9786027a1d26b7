import type { StoredMessage } from './queries.ts'

/** A message on its way to many listeners, whose bytes are made once for each transport. */
export class Message {
  readonly channel: string
  readonly offset: number
  readonly data: string
  #push: Buffer | undefined

  constructor({ channel, offset, data }: StoredMessage) {
    this.channel = channel
    this.offset = offset
    this.data = data
  }

  /** The frame for a WebSocket. */
  get push(): Buffer {
    this.#push ??= Buffer.from(
      `{"push":{"channel":${JSON.stringify(this.channel)},"pub":{"data":${this.data},"offset":${this.offset}}}}`,
    )
    return this.#push
  }
}
