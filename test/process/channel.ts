import { Worker } from 'node:cluster'
import { EventEmitter } from 'node:events'
import type { ToPrimary, ToWorker } from '#process/messages.ts'

/** In place of a child process, whose messages go to the other end as JSON. */
export class Channel extends EventEmitter {
  connected = true
  pid: number | undefined = 4711
  readonly killed: unknown[] = []
  readonly sent: (ToPrimary | ToWorker)[] = []
  other: Channel | undefined

  send(message: ToPrimary | ToWorker, done: () => void): void {
    const copy = JSON.parse(JSON.stringify(message))
    this.sent.push(copy)
    this.other?.emit('message', copy)
    done()
  }

  kill(signal: unknown): void {
    this.killed.push(signal)
  }
}

/** Returns Node's own object for a worker, over such a channel. */
export function end(): { channel: Channel; worker: Worker } {
  const channel = new Channel()
  const options: object = { process: channel }
  return { channel, worker: new Worker(options) }
}
