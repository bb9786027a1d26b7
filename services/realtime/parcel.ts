import type { Message } from './message.ts'

/** Bytes of a frame from which on the next message gets a frame of its own. */
const FRAME_BYTES = 32 * 1024

/** Messages of one channel that go to many listeners together, whose frames are made once. */
export class Parcel {
  readonly messages: readonly Message[]
  /** How many of them are told again later, which notices are not. */
  readonly told: number
  #frames: readonly Buffer[] | undefined

  constructor(messages: readonly Message[]) {
    this.messages = messages
    this.told = messages.filter(({ isNotice }) => !isNotice).length
  }

  /** Frames for WebSockets: as many messages in each as are not too large together, one a line. */
  get frames(): readonly Buffer[] {
    this.#frames ??= [...framesOf(this.messages)]
    return this.#frames
  }
}

const BETWEEN = Buffer.from('\n')

function* framesOf(messages: readonly Message[]): Generator<Buffer> {
  let parts: Buffer[] = []
  let bytes = 0
  for (const { push } of messages) {
    if (parts.length > 0) parts.push(BETWEEN)
    parts.push(push)
    bytes += push.length
    if (bytes < FRAME_BYTES) continue
    yield Buffer.concat(parts)
    parts = []
    bytes = 0
  }
  const [only] = parts
  if (only) yield parts.length === 1 ? only : Buffer.concat(parts)
}
