import type { StoredMessage } from './queries.ts'

/** A message on its way to many listeners, whose bytes are made once for each transport. */
export class Message {
  readonly channel: string
  /** 0 for a notice. */
  readonly offset: number
  readonly data: string
  /** Whether it is about who comes and goes: told to those who are there, and to nobody later. */
  readonly isNotice: boolean
  #push: Buffer | undefined

  constructor({ channel, offset, data }: StoredMessage) {
    this.channel = channel
    this.offset = offset ?? 0
    this.data = data
    this.isNotice = offset === null
  }

  /** The frame for a WebSocket. */
  get push(): Buffer {
    this.#push ??= Buffer.from(this.#frame())
    return this.#push
  }

  #frame(): string {
    const head = `{"push":{"channel":${JSON.stringify(this.channel)},`
    // A notice is an object with the one member by which the protocol tells of it.
    if (this.isNotice) return `${head}${this.data.slice(1, -1)}}}`
    return `${head}"pub":{"data":${this.data},"offset":${this.offset}}}}`
  }
}
