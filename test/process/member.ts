import type { Worker } from 'node:cluster'
import type { ToPrimary } from '#process/messages.ts'
import { type Channel, end } from './channel.ts'

/** The workers of a test, in their order. */
export const forked: Member[] = []

/** A worker without a process, which does what the test says. */
export class Member {
  readonly channel: Channel
  readonly #worker: Worker

  constructor() {
    const { channel, worker } = end()
    this.channel = channel
    this.#worker = worker
    channel.pid = 1000 + forked.length
    forked.push(this)
  }

  get worker(): Worker {
    return this.#worker
  }

  say(message: ToPrimary): void {
    this.channel.emit('message', message)
  }

  /** Goes through a start; `port` is that which it got. */
  start(port = 4000): void {
    this.say({ type: 'online' })
    this.say({ type: 'listening', port })
    this.say({ type: 'ready' })
  }

  exit(code: number | null, signal: string | null = null): void {
    this.channel.connected = false
    this.#worker.emit('exit', code, signal)
  }

  /** Messages of a type that it was sent. */
  told(type: string) {
    return this.channel.sent.filter((message) => message.type === type)
  }

  /** The port that it is to serve. */
  get port(): number | undefined {
    const [message] = this.told('serve')
    return message?.type === 'serve' ? message.config.server.port : undefined
  }
}
