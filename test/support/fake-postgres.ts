import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { Owner } from './database.ts'

type Value = string | boolean | null | readonly string[] | Readonly<Record<string, string>>
/** Answer of the server to a statement: rows of which each value has its type, or an error. */
export type Said = readonly Readonly<Record<string, Value>>[] | { readonly code: string; message: string }

/** A server that speaks PostgreSQL's protocol and says what the test wants, as poolers and odd servers might. */
export interface FakePostgres {
  readonly url: string
  /** The parameters of the last client's startup message. */
  readonly startup: Record<string, string>
  /** The statements that it got, one after the other. */
  readonly asked: string[]
  /** Clients that are connected. */
  readonly sockets: ReadonlySet<Socket>
}

/** The number that it has for each client's connection. */
export const FAKE_PROCESS = 4711

const int16 = (value: number) => Buffer.from([value >> 8, value & 255])
function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const cstring = (text: string) => Buffer.from(`${text}\0`)
function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

const READY = message('Z', Buffer.from('I'))
const WELCOME = Buffer.concat([message('R', int32(0)), message('K', int32(FAKE_PROCESS), int32(1)), READY])

function typeOf(value: Value): number {
  if (typeof value === 'boolean') return 16
  if (typeof value === 'string' || value === null) return 25
  return Array.isArray(value) ? 1009 : 114
}

function textOf(value: Exclude<Value, null>): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 't' : 'f'
  return Array.isArray(value) ? `{${value.join()}}` : JSON.stringify(value)
}

function answer(text: string, said: Said): Buffer {
  if ('code' in said) {
    const fields = [`SERROR`, `C${said.code}`, `M${said.message}`].map(cstring)
    return message('E', ...fields, Buffer.from([0]))
  }
  const columns = Object.entries(said[0] ?? {}).map(([name, value]) =>
    Buffer.concat([cstring(name), int32(0), int16(0), int32(typeOf(value)), int16(-1), int32(-1), int16(0)]),
  )
  const rows = said.map((row) => {
    const values = Object.values(row).map((value) => {
      if (value === null) return int32(-1)
      const bytes = Buffer.from(textOf(value))
      return Buffer.concat([int32(bytes.length), bytes])
    })
    return message('D', int16(values.length), ...values)
  })
  const described = columns.length > 0 ? [message('T', int16(columns.length), ...columns)] : []
  return Buffer.concat([...described, ...rows, message('C', cstring(text.split(' ')[0] ?? ''))])
}

/** One client's connection. */
class Conversation {
  readonly #socket: Socket
  readonly #ask: (text: string) => Buffer
  readonly #began: (startup: string[]) => void
  #waiting = Buffer.alloc(0)
  #isStarted = false
  readonly #prepared = new Map<string, string>()
  #bound = ''
  /** Until Sync. */
  readonly #answers: Buffer[] = []

  constructor(socket: Socket, ask: (text: string) => Buffer, began: (startup: string[]) => void) {
    this.#socket = socket
    this.#ask = ask
    this.#began = began
    socket.on('data', (chunk: Buffer) => {
      this.#waiting = Buffer.concat([this.#waiting, chunk])
      while (this.#take());
    })
  }

  /** Takes one message, if the whole of it is there. The first has no type. */
  #take(): boolean {
    const head = this.#isStarted ? 1 : 0
    if (this.#waiting.length < head + 4) return false
    const length = head + this.#waiting.readInt32BE(head)
    if (this.#waiting.length < length) return false
    const type = this.#waiting.toString('latin1', 0, head)
    const body = this.#waiting.subarray(head + 4, length)
    this.#waiting = this.#waiting.subarray(length)
    if (this.#isStarted) this.#handle(type, body.toString().split('\0'))
    else this.#start(body.subarray(4).toString().split('\0'))
    return true
  }

  #start(words: string[]): void {
    this.#isStarted = true
    this.#began(words)
    this.#socket.write(WELCOME)
  }

  #handle(type: string, [first = '', second = '']: string[]): void {
    if (type === 'Q') this.#socket.write(Buffer.concat([this.#ask(first), READY]))
    if (type === 'X') this.#socket.end()
    if (type === 'S') this.#socket.write(Buffer.concat([...this.#answers.splice(0), READY]))
    // What follows an error is skipped until Sync.
    if (this.#answers.at(-1)?.toString('latin1', 0, 1) === 'E') return
    if (type === 'P') this.#prepared.set(first, second)
    if (type === 'B') this.#bound = this.#prepared.get(second) ?? ''
    const answers: Readonly<Record<string, () => Buffer>> = {
      P: () => message('1'),
      B: () => message('2'),
      E: () => this.#ask(this.#bound),
    }
    const answer = answers[type]?.()
    if (answer !== undefined) this.#answers.push(answer)
  }
}

/** @param say what it says to a statement */
export async function startFakePostgres(t: Owner, say: (text: string) => Said): Promise<FakePostgres> {
  const startup: Record<string, string> = {}
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const ask = (text: string) => {
    asked.push(text)
    return answer(text, say(text))
  }
  const began = (words: string[]) => {
    for (let index = 0; words[index]; index += 2) startup[words[index] ?? ''] = words[index + 1] ?? ''
  }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    new Conversation(socket, ask, began)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('it has no port')
  return { url: `postgres://somebody:secret@127.0.0.1:${address.port}/things`, startup, asked, sockets }
}
