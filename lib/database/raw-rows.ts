import type { Duplex } from 'node:stream'
import type pg from 'pg'
import { Parser } from 'pg-protocol/dist/parser.js'

declare module 'pg' {
  interface Connection {
    // Missing in @types/pg: reads what the server sends.
    attachListeners(stream: Duplex): void
  }
}

/** Code of a DataRow message. */
const DATA_ROW = 0x44

type HandlePacket = (offset: number, code: number, length: number, bytes: Buffer) => { fields: unknown }

/** A row as the server sent it. Valid only while its event is being handled: the bytes are the connection's. */
export class RawRow {
  readonly name = 'dataRow'
  readonly bytes: Buffer
  /** Where the number of values stands; the values follow. */
  readonly offset: number
  /** Bytes of the row, with its own length. */
  readonly length: number
  readonly #parse: HandlePacket

  constructor(bytes: Buffer, offset: number, length: number, parse: HandlePacket) {
    this.bytes = bytes
    this.offset = offset
    this.length = length
    this.#parse = parse
  }

  /** The values as the driver has them, which it asks for unless the query writes JSON. */
  get fields(): unknown {
    return this.#parse(this.offset, DATA_ROW, this.length, this.bytes).fields
  }
}

/** Has the driver's parser leave rows as bytes, until somebody asks for their values. */
export function keepRowsRaw(connection: pg.Connection): void {
  connection.attachListeners = (stream) => {
    const parser = new Parser()
    const handlePacket: HandlePacket = Reflect.get(parser, 'handlePacket').bind(parser)
    const keepRow = (offset: number, code: number, length: number, bytes: Buffer) =>
      code === DATA_ROW
        ? new RawRow(bytes, offset, length, handlePacket)
        : handlePacket(offset, code, length, bytes)
    Reflect.set(parser, 'handlePacket', keepRow)
    stream.on('data', (bytes: Buffer) =>
      parser.parse(bytes, (message) => {
        connection.emit(message.name === 'error' ? 'errorMessage' : message.name, message)
      }),
    )
  }
}
